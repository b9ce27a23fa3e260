#include "exec/chunk_passthrough.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/content_hash.h"
#include "exec/read_pieces.h"
#include "plan/passthrough.h"
#include "rechunk/error.h"
#include "zarr/chunks/object_marks.h"
#include "zarr/chunks/shard_object.h"

namespace rechunk {
namespace {

struct SourceShard {
  std::string key;
  std::int64_t bytes;
  ShardIndex index;
};

/// Calls `visit` for each run of chunks that follow each other in their object.
template <class Visit>
void for_each_run(std::span<const MovedChunk> chunks, Visit&& visit) {
  for (std::size_t first = 0, last = 0; first < chunks.size(); first = last) {
    for (last = first + 1; last < chunks.size(); ++last)
      if (chunks[last].offset !=
          chunks[last - 1].offset + chunks[last - 1].bytes)
        break;
    visit(chunks.subspan(first, last - first));
  }
}

ByteRange range_of(std::span<const MovedChunk> run) {
  return {run.front().offset,
          run.back().offset + run.back().bytes - run.front().offset};
}

}  // namespace

// One task while it runs.
class ChunkPassthrough::Task {
 public:
  Task(const ChunkPassthrough& copy, Region region, Arena& arena,
       StageReport& report)
      : source_(copy.source_),
        target_(copy.target_),
        region_(std::move(region)),
        arena_(arena),
        report_(report),
        pulse_(copy.pulse_),
        end_(arena.used() + copy.task_bytes_) {}

  void run();

 private:
  void open_shards();
  void erase_missing(const Region& objects);
  void write_shard(const Shape& object);
  void add_from_shard(const Shape& from, const Shape& to, ShardObject& shard);
  void add_object(const Shape& chunk, const Shape& to, ShardObject& shard);
  void write_objects(const SourceShard& shard, std::span<const MovedChunk> run);
  void write_batch(const SourceShard& shard, std::span<const MovedChunk> batch,
                   std::span<std::byte> buffer);
  std::span<const MovedChunk> chunks_in(const Shape& object,
                                        const SourceShard& shard,
                                        const Region& region);
  std::optional<MovedChunk> find(const Shape& object, const Shape& chunk,
                                 const SourceShard& shard) const;
  std::span<std::byte> take_buffer();
  void read(const SourceShard& shard, const ByteRange& range,
            std::span<std::byte> buffer,
            const std::function<void(std::span<const std::byte>)>& visit);

  const Side& source_;
  const Side& target_;
  const Region region_;
  Arena& arena_;
  StageReport& report_;
  Pulse::Task pulse_;
  // In the arena, the end of the memory that the plan has counted. The arena
  // may be larger.
  const std::int64_t end_;
  std::map<Shape, SourceShard> shards_;  ///< Those that exist.
};

// All indices are read first, so that each is read once. Then the target is
// written object by object if it has shards, else in the order of the source.
void ChunkPassthrough::Task::run() {
  const ArenaScope scope(arena_);
  if (source_.layout.shard) open_shards();
  const Region objects = target_.layout.objects.cells_touching(region_);
  if (target_.layout.shard)
    return for_each_point(objects,
                          [&](const Shape& object) { write_shard(object); });
  if (target_.erase_missing) erase_missing(objects);
  const std::int64_t before = report_.counted.objects_written;
  for (const auto& [object, shard] : shards_) {
    const ArenaScope shard_scope(arena_);
    for_each_run(chunks_in(object, shard, region_),
                 [&](auto run) { write_objects(shard, run); });
  }
  // The source lacks the others.
  report_.skipped.objects_written +=
      element_count(objects) - (report_.counted.objects_written - before);
}

// Erases the target's objects that the source lacks. The objects are single
// chunks.
void ChunkPassthrough::Task::erase_missing(const Region& objects) {
  for_each_point(objects, [&](const Shape& chunk) {
    Shape object = chunk;
    for (std::size_t axis = 0; axis < chunk.size(); ++axis)
      object[axis] /= source_.layout.shard->chunk_counts[axis];
    const auto shard = shards_.find(object);
    if (shard == shards_.end() || !find(object, chunk, shard->second))
      target_.store->erase(target_.key(chunk));
  });
}

// Reads the indices of all shards that the task touches.
void ChunkPassthrough::Task::open_shards() {
  const ShardLevel& level = *source_.layout.shard;
  std::vector<Shape> objects;
  std::vector<ReadRequest> requests;
  for_each_point(
      source_.layout.objects.cells_touching(region_), [&](const Shape& object) {
        objects.push_back(object);
        requests.push_back(index_request(level, source_.key(object),
                                         arena_.take(level.index_bytes)));
      });
  with_context(
      [&] { source_.store->read_all(requests); },
      [&] { return "reading " + source_.store->describe(source_.path); });
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const ReadRequest& request = requests[i];
    const auto index = with_context(
        [&] { return checked_index(level, request); },
        [&] { return "reading " + source_.store->describe(request.key); });
    (index ? report_.counted : report_.skipped).objects_read += 1;
    report_.counted.stored_bytes_read += request.bytes_read;
    note_source(report_, request);
    if (index)
      shards_.emplace(objects[i],
                      SourceShard{request.key, request.object_bytes, *index});
  }
}

// The rest of the task's memory, up to the size beyond which reads do not
// become faster.
std::span<std::byte> ChunkPassthrough::Task::take_buffer() {
  const std::int64_t left =
      end_ - MemoryBudget::kAlignment - MemoryBudget::aligned(arena_.used());
  return arena_.take(std::min(kPassthroughBufferBytes, left));
}

void ChunkPassthrough::Task::read(
    const SourceShard& shard, const ByteRange& range,
    std::span<std::byte> buffer,
    const std::function<void(std::span<const std::byte>)>& visit) {
  const auto bytes =
      read_pieces(*source_.store, shard.key, range, buffer,
                  [&](std::span<const std::byte> piece, std::int64_t) {
                    pulse_.beat(0);  // Nothing is decoded or encoded.
                    visit(piece);
                  });
  if (!bytes)
    throw Error(ErrorKind::kIo, "reading " +
                                    source_.store->describe(shard.key) +
                                    ": it vanished while it was read");
  report_.counted.stored_bytes_read += *bytes;
}

std::optional<MovedChunk> ChunkPassthrough::Task::find(
    const Shape& object, const Shape& chunk, const SourceShard& shard) const {
  const auto entry = shard.index.entry(
      shard.index.position(source_.layout.within(object, chunk)), shard.bytes);
  if (!entry) return std::nullopt;
  with_context(
      [&] { source_.layout.check_chunk_bytes(entry->bytes); },
      [&] { return fmt::format("inner chunk at byte {}", entry->offset); });
  return MovedChunk{source_.layout.chunks.index(chunk), entry->offset,
                    entry->bytes};
}

// The chunks of a shard that lie in the region, in the order of their bytes.
std::span<const MovedChunk> ChunkPassthrough::Task::chunks_in(
    const Shape& object, const SourceShard& shard, const Region& region) {
  const Region wanted = source_.layout.chunks.cells_touching(
      intersect(region, source_.layout.objects.cell(object)));
  const auto memory = arena_.take(checked_multiply(
      element_count(wanted), static_cast<std::int64_t>(sizeof(MovedChunk))));
  auto* const first = reinterpret_cast<MovedChunk*>(memory.data());
  MovedChunk* last = first;
  with_context(
      [&] {
        for_each_point(wanted, [&](const Shape& chunk) {
          if (const auto found = find(object, chunk, shard)) *last++ = *found;
        });
      },
      [&] { return "reading " + source_.store->describe(shard.key); });
  // Two entries of an index may have one offset. Their numbers keep the
  // order the same in every run.
  std::sort(first, last, [](const MovedChunk& a, const MovedChunk& b) {
    return std::pair(a.offset, a.number) < std::pair(b.offset, b.number);
  });
  return {first, last};
}

void ChunkPassthrough::Task::write_shard(const Shape& object) {
  const ArenaScope scope(arena_);
  const ShardLevel& level = *target_.layout.shard;
  ShardObject shard(*target_.store, target_.key(object), level,
                    arena_.take(level.index_bytes), target_.erase_missing);
  const Region box = target_.layout.objects.cell(object);
  for_each_point(source_.layout.objects.cells_touching(box),
                 [&](const Shape& from) {
                   const ArenaScope source_scope(arena_);
                   if (source_.layout.shard)
                     add_from_shard(from, object, shard);
                   else
                     add_object(from, object, shard);
                 });
  shard.finish(report_);
}

void ChunkPassthrough::Task::add_from_shard(const Shape& from, const Shape& to,
                                            ShardObject& shard) {
  const auto found = shards_.find(from);
  if (found == shards_.end()) return;
  const auto chunks =
      chunks_in(from, found->second, target_.layout.objects.cell(to));
  const auto buffer = take_buffer();
  for_each_run(chunks, [&](std::span<const MovedChunk> run) {
    // All entries come first. `add` counts from the end of the shard, which
    // `append` moves.
    for (const MovedChunk& chunk : run)
      shard.add(target_.layout.within(
                    to, target_.layout.chunks.coordinates(chunk.number)),
                {chunk.offset - run.front().offset, chunk.bytes});
    read(found->second, range_of(run), buffer,
         [&](std::span<const std::byte> piece) {
           with_context([&] { shard.append(piece); },
                        [&] { return "writing " + shard.describe(); });
         });
  });
}

// Moves a chunk that is an object of its own.
void ChunkPassthrough::Task::add_object(const Shape& chunk, const Shape& to,
                                        ShardObject& shard) {
  const std::string key = source_.key(chunk);
  bool begun = false;
  const auto bytes = read_pieces(
      *source_.store, key, {}, take_buffer(),
      [&](std::span<const std::byte> piece, std::int64_t total) {
        pulse_.beat(0);
        // The first piece tells the size. The index needs it before bytes are
        // appended.
        if (!begun) {
          with_context(
              [&] { source_.layout.check_chunk_bytes(total); },
              [&] { return "reading " + source_.store->describe(key); });
          shard.add(target_.layout.within(to, chunk), {0, total});
          begun = true;
        }
        with_context([&] { shard.append(piece); },
                     [&] { return "writing " + shard.describe(); });
      },
      [&](const ReadRequest& request) { note_source(report_, request); });
  (bytes ? report_.counted : report_.skipped).objects_read += 1;
  report_.counted.stored_bytes_read += bytes.value_or(0);
}

// Makes objects of the chunks of a run, as many at a time as the buffer holds.
void ChunkPassthrough::Task::write_objects(const SourceShard& shard,
                                           std::span<const MovedChunk> run) {
  const ArenaScope scope(arena_);
  const auto buffer = take_buffer();
  const auto room = static_cast<std::int64_t>(buffer.size());
  while (!run.empty()) {
    // A chunk that is larger than the buffer comes alone.
    std::size_t count = 1;
    while (count < run.size() && *range_of(run.first(count + 1)).bytes <= room)
      ++count;
    write_batch(shard, run.first(count), buffer);
    run = run.subspan(count);
  }
}

// One chunk, or several that the buffer holds together.
void ChunkPassthrough::Task::write_batch(const SourceShard& shard,
                                         std::span<const MovedChunk> batch,
                                         std::span<std::byte> buffer) {
  std::unique_ptr<ObjectWriter> writer;
  const MovedChunk* chunk = &batch.front();
  ContentHash hash;
  const auto append = [&](std::span<const std::byte> piece) {
    const std::string key =
        target_.key(target_.layout.chunks.coordinates(chunk->number));
    with_context(
        [&] {
          if (!writer) writer = target_.store->open_writer(key);
          writer->append(piece);
          hash.append(piece);
          if (hash.bytes() < chunk->bytes) return;
          writer->commit();
          writer.reset();
          note_written(report_, key, chunk->bytes, hash.value());
          hash = {};
        },
        [&] { return "writing " + target_.store->describe(key); });
  };
  read(shard, range_of(batch), buffer, [&](std::span<const std::byte> piece) {
    // One chunk may be larger than the buffer and come in pieces. Several
    // chunks fit into the buffer and come in one piece.
    if (batch.size() == 1) return append(piece);
    for (const MovedChunk& each : batch) {
      chunk = &each;
      append(piece.subspan(
          static_cast<std::size_t>(each.offset - batch.front().offset),
          static_cast<std::size_t>(each.bytes)));
    }
  });
  report_.counted.objects_written += static_cast<std::int64_t>(batch.size());
  report_.counted.stored_bytes_written += *range_of(batch).bytes;
}

ChunkPassthrough::ChunkPassthrough(const StagedCopySpec& spec, Side source,
                                   Side target, Pulse* pulse)
    : tasks_(spec.shape, spec.component, spec.stages[0].chunks),
      task_bytes_(spec.stages[0].max_task_bytes),
      source_(std::move(source)),
      target_(std::move(target)),
      pulse_(pulse) {}

TaskResult ChunkPassthrough::run(int /*stage*/, std::int64_t task,
                                 Arena& arena) const {
  TaskResult result;
  Task(*this, tasks_.task(task), arena, result.report).run();
  result.report.counted.tasks = 1;
  return result;
}

void ChunkPassthrough::visit_sources(std::int64_t task,
                                     const VisitObject& visit) const {
  for_each_point(source_.layout.objects.cells_touching(tasks_.task(task)),
                 [&](const Shape& object) {
                   ReadRequest request{.key = source_.key(object)};
                   source_.store->read_one(request);
                   visit(request);
                 });
}

void ChunkPassthrough::note_targets(std::int64_t task,
                                    std::span<std::byte> buffer,
                                    ObjectSums& sums) const {
  const auto& shard = target_.layout.shard;
  const std::int64_t header_bytes =
      shard && shard->index_at_start ? shard->index_bytes : 0;
  for_each_point(target_.layout.objects.cells_touching(tasks_.task(task)),
                 [&](const Shape& object) {
                   note_existing(sums, *target_.store, target_.key(object),
                                 header_bytes, buffer);
                 });
}

}  // namespace rechunk
