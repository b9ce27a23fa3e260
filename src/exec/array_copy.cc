#include "exec/array_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "exec/digest_sink.h"
#include "plan/planner.h"

namespace rechunk {
namespace {

// Smaller source objects are shared only if some threads are idle already. For
// so little work, sharing costs more than it saves at the end of a stage.
constexpr std::int64_t kSharedBytes = 256 << 10;

}  // namespace

// The arguments of one call.
struct ArrayCopy::Task {
  int stage;
  std::int64_t index;
  Region region;
  Arena& arena;
  Pulse::Task& pulse;
};

ArrayCopy::ArrayCopy(const StagedCopySpec& spec,
                     std::shared_ptr<const RegionReader> reader,
                     std::shared_ptr<const ArrayWriter> writer,
                     std::shared_ptr<Store> temp, const Options& options)
    : spec_(spec),
      reader_(std::move(reader)),
      writer_(std::move(writer)),
      write_window_(std::min(spec_.window, writer_->medium().requests)),
      idle_(options.idle),
      kept_(options.kept),
      pulse_(options.pulse) {
  const ArrayLayout& target = writer_->layout();
  for (std::size_t stage = 0; stage < spec_.stages.size(); ++stage) {
    const CopySpec& copy = spec_.stages[stage];
    tasks_.emplace_back(spec_.shape, spec_.component, copy.chunks);
    if (stage + 1 == spec_.stages.size()) break;
    const CopySpec& next = spec_.stages[stage + 1];
    const bool next_is_last = stage + 2 == spec_.stages.size();
    intermediates_.emplace_back(
        temp,
        PackedStore::Options{
            .prefix = fmt::format("{}/{}", options.temp_prefix, stage + 1),
            .shape = spec_.shape,
            .component = spec_.component,
            .chunks = copy.chunks,
            // Pieces for the last stage are the target's chunks. So a read
            // brings them to the place from which they are encoded.
            .layout = {next.block,
                       next_is_last ? target.chunk_shape : next.block},
            .axis_order = target.axis_order,
            .item_bytes = spec_.item_bytes,
            .fill =
                options.source_fill.empty() ? target.fill : options.source_fill,
            .coded = copy.coded,
            .disk_ns_per_byte = spec_.costs.temp_disk_ns_per_byte,
            .window = spec_.window});
  }
  if (options.digest) digest_scalars_ = digest_scalars(target.scalars);
}

TaskResult ArrayCopy::run(int stage, std::int64_t index, Arena& arena) const {
  Pulse::Task pulse(pulse_);
  const Task task{stage, index, tasks_[stage].task(index), arena, pulse};
  TaskResult result;
  const ArenaScope scope(arena);
  if (stage + 1 < static_cast<int>(spec_.stages.size()))
    run_to_packed(task, result);
  else
    run_to_target(task, result);
  result.report.counted.tasks = 1;
  return result;
}

void ArrayCopy::release(const TaskRange& tasks) const {
  intermediates_[tasks.stage].erase(tasks.first, tasks.stop);
}

bool ArrayCopy::has_intermediate(int stage, std::int64_t task) const {
  return intermediates_[stage].has(task);
}

void ArrayCopy::visit_sources(std::int64_t task,
                              const VisitObject& visit) const {
  reader_->visit_objects(tasks_.front().task(task), visit);
}

void ArrayCopy::note_targets(std::int64_t task, std::span<std::byte> buffer,
                             ObjectSums& sums) const {
  writer_->note_objects(tasks_.back().task(task), buffer, sums);
}

void ArrayCopy::read(const Task& task, Block& block,
                     std::span<const std::byte> left_out,
                     TaskResult& result) const {
  const Region& region = block.layout().region();
  if (task.stage > 0) {
    intermediates_[task.stage - 1].read(block, task.arena, task.pulse,
                                        result.report);
  } else if (digest_scalars_.empty()) {
    PulseSink sink(task.pulse, spec_.item_bytes, block);
    read_source(region, sink, task.arena, result.report);
  } else {
    KeptDigestSink digests(digest_scalars_, spec_.shape, kept_, &block);
    PulseSink sink(task.pulse, spec_.item_bytes, digests.sink());
    read_source(region, sink, task.arena, result.report);
    result.digest += digests.kept();
    result.digest += digests.added();
  }
  block.settle(left_out);
}

// Runs `part` for each cell of a grid, here or also on idle threads.
void ArrayCopy::for_each_cell(const Region& cells, Arena& arena,
                              StageReport& report, const Part& part) const {
  if (!idle_)
    return for_each_point(
        cells, [&](const Shape& cell) { part(cell, arena, report); });
  const Grid numbers(cells.extent(), Shape(cells.start.size(), 1));
  std::mutex mutex;
  idle_->run(
      numbers.cell_count(),
      [&](std::int64_t number, Arena& own) {
        Shape cell = numbers.coordinates(number);
        for (std::size_t axis = 0; axis < cell.size(); ++axis)
          cell[axis] += cells.start[axis];
        StageReport counted;
        part(cell, own, counted);
        const std::lock_guard lock(mutex);
        report += counted;
      },
      arena);
}

void ArrayCopy::read_source(const Region& region, RegionSink& sink,
                            Arena& arena, StageReport& report) const {
  const Region kept = intersect(region, kept_.region(spec_.shape));
  if (kept_.length == 0 || kept.empty())
    return read_added(region, sink, arena, report);
  reader_->read(kept, sink, arena, report);
  Region added = region;
  added.start[kept_.axis] = kept.stop[kept_.axis];
  if (!added.empty()) read_added(added, sink, arena, report);
}

void ArrayCopy::read_added(const Region& region, RegionSink& sink, Arena& arena,
                           StageReport& report) const {
  // The parts are source objects, so that sharing opens none of them twice.
  const Shape& object =
      spec_.source_shards.empty() ? spec_.source_chunks : spec_.source_shards;
  const bool large = element_count(object) * spec_.item_bytes >= kSharedBytes;
  if (!idle_ || region.empty() || spec_.window > 1 || !(large || idle_->any()))
    return reader_->read(region, sink, arena, report);
  // The source's grid begins behind the kept elements.
  const Grid objects(kept_.added(spec_.shape), object);
  const Region part = moved(region, kept_.axis, -kept_.length);
  for_each_cell(objects.cells_touching(part), arena, report,
                [&](const Shape& cell, Arena& own, StageReport& counted) {
                  const Region shared = intersect(objects.cell(cell), part);
                  reader_->read(moved(shared, kept_.axis, kept_.length), sink,
                                own, counted);
                });
}

void ArrayCopy::run_to_packed(const Task& task, TaskResult& result) const {
  const PackedStore& intermediate = intermediates_[task.stage];
  const BlockLayout layout = intermediate.block_layout(task.region);
  // An encoded chunk may be larger than the region that it is decoded to. It
  // uses the same memory, until the elements take its place.
  const std::int64_t spare_bytes =
      task.stage == 0 ? reader_->spare_bytes(task.region) : 0;
  const std::span<std::byte> memory =
      task.arena.take(std::max(layout.bytes(), spare_bytes));
  Block block(layout, memory.first(static_cast<std::size_t>(layout.bytes())),
              memory);
  read(task, block, intermediate.fill(), result);
  intermediate.write(task.index, block, task.arena, task.pulse, result.report);
}

Block ArrayCopy::target_block(const Region& region, Arena& arena) const {
  const ArrayLayout& target = writer_->layout();
  const BlockLayout layout = BlockLayout::of_chunks(
      region, target.chunk_shape, target.axis_order, target.item_bytes);
  Block block(layout, arena.take(layout.bytes()));
  // Before the block is read, because this fills clipped chunks as a whole.
  block.fill_padding(target.fill);
  return block;
}

void ArrayCopy::run_to_target(const Task& task, TaskResult& result) const {
  if (!writer_->layout().shards.empty()) return write_shards(task, result);
  Block block = target_block(task.region, task.arena);
  read(task, block, writer_->left_out(), result);
  write_chunks(block, task, result.report);
}

void ArrayCopy::write_chunks(const Block& block, const Task& task,
                             StageReport& report) const {
  if (write_window_ > 1)
    return writer_->write_chunks(
        block.layout().cells_touching(block.layout().region()),
        [&](const Shape& chunk) {
          task.pulse.beat(writer_->layout().chunk_bytes());
          return std::span<const std::byte>(block.chunk(chunk));
        },
        write_window_, task.arena, report);
  for_each_cell(block.layout().cells_touching(block.layout().region()),
                task.arena, report,
                [&](const Shape& chunk, Arena& own, StageReport& counted) {
                  writer_->write_chunk(chunk, block.chunk(chunk), own, counted);
                  task.pulse.beat(writer_->layout().chunk_bytes());
                });
}

// A shard may be larger than a block. Then its blocks are appended one after
// the other. Or a block holds many shards, which are written one after the
// other.
void ArrayCopy::write_shards(const Task& task, TaskResult& result) const {
  const Shape& chunk_shape = writer_->layout().chunk_shape;
  const CopySpec& copy = spec_.stages[task.stage];
  const auto append = [&](ShardWriter& shard, const Block& block,
                          const Region& part) {
    const ChunkBytes chunks = [&](const Shape& start) {
      Shape chunk = start;
      for (std::size_t axis = 0; axis < chunk.size(); ++axis)
        chunk[axis] /= chunk_shape[axis];
      task.pulse.beat(writer_->layout().chunk_bytes());
      return std::span<const std::byte>(block.chunk(chunk));
    };
    shard.append(part, chunks, task.arena, result.report);
  };
  if (copy.block == copy.chunks) {
    Block block = target_block(task.region, task.arena);
    read(task, block, writer_->left_out(), result);
    const Grid& shards = writer_->objects();
    for_each_point(
        shards.cells_touching(task.region), [&](const Shape& object) {
          const ArenaScope scope(task.arena);
          const auto shard = writer_->open_shard(object, task.arena, idle_);
          append(*shard, block, shards.cell(object));
          shard->finish(result.report);
        });
    return;
  }
  Shape object = task.region.start;
  for (std::size_t axis = 0; axis < object.size(); ++axis)
    object[axis] /= writer_->objects().cell_shape()[axis];
  const auto shard = writer_->open_shard(object, task.arena, idle_);
  for_each_point(
      boxes_touching(task.region, task.region.start, copy.block),
      [&](const Shape& coordinates) {
        // The shard's index was taken before this scope. It stays while blocks
        // come and go.
        const ArenaScope scope(task.arena);
        const Shape start =
            element_at(task.region.start, coordinates, copy.block);
        Block block = target_block(
            intersect(clipped_box(start, copy.block, spec_.shape), task.region),
            task.arena);
        read(task, block, writer_->left_out(), result);
        append(*shard, block, block.layout().region());
      });
  shard->finish(result.report);
}

}  // namespace rechunk
