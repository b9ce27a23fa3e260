#include "exec/passthrough_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/content_hash.h"
#include "exec/read_pieces.h"
#include "plan/planner.h"
#include "rechunk/error.h"
#include "zarr/chunks/object_marks.h"

namespace rechunk {

namespace {

/// Refuses objects that readers of the target would refuse.
void check_bytes(const PassthroughCopy::Side& source, const std::string& key,
                 std::int64_t bytes) {
  if (!source.object_bytes || bytes == *source.object_bytes) return;
  throw Error(
      ErrorKind::kCorrupt,
      fmt::format("reading {}: it holds {} bytes, a chunk of it has "
                  "exactly {}",
                  source.store->describe(key), bytes, *source.object_bytes));
}

}  // namespace

PassthroughCopy::PassthroughCopy(const StagedCopySpec& spec,
                                 const Shape& objects, Side source, Side target,
                                 Pulse* pulse)
    : tasks_(spec.shape, spec.component, spec.stages[0].chunks),
      objects_(spec.shape, objects),
      window_(std::min(spec.window, std::max(source.store->medium().requests,
                                             target.store->medium().requests))),
      source_(std::move(source)),
      target_(std::move(target)),
      pulse_(pulse) {}

TaskResult PassthroughCopy::run(int /*stage*/, std::int64_t task,
                                Arena& arena) const {
  TaskResult result;
  Pulse::Task pulse(pulse_);
  const Region objects = objects_.cells_touching(tasks_.task(task));
  if (window_ > 1)
    move_in_window(objects, arena, pulse, result.report);
  else
    for_each_point(objects, [&](const Shape& object) {
      move(object, arena, pulse, result.report);
    });
  result.report.counted.tasks = 1;
  return result;
}

// As many objects as the window has are read, then written. Those that are
// larger than a buffer move alone.
void PassthroughCopy::move_in_window(const Region& objects, Arena& arena,
                                     Pulse::Task& pulse,
                                     StageReport& report) const {
  const Shape ones(objects.start.size(), 1);
  const Grid numbers(objects.extent(), ones);
  for (std::int64_t first = 0; first < numbers.cell_count(); first += window_) {
    std::vector<Shape> large;
    {
      const ArenaScope scope(arena);
      const std::int64_t stop = std::min(first + window_, numbers.cell_count());
      std::vector<Shape> cells;
      std::vector<ReadRequest> requests;
      for (std::int64_t number = first; number < stop; ++number) {
        cells.push_back(
            element_at(objects.start, numbers.coordinates(number), ones));
        requests.push_back(
            {.key = source_.key(cells.back()),
             .destination = {arena.take(kPassthroughBufferBytes)}});
      }
      source_.store->read_all(requests);
      std::vector<WriteRequest> writes;
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const ReadRequest& request = requests[i];
        if (request.object_bytes > kPassthroughBufferBytes) {
          large.push_back(cells[i]);
          continue;
        }
        note_source(report, request);
        const std::string to = target_.key(cells[i]);
        if (!request.found) {
          note_missing(to, report);
          continue;
        }
        check_bytes(source_, request.key, request.object_bytes);
        if (request.bytes_read != request.object_bytes)
          throw Error(ErrorKind::kIo, "reading " +
                                          source_.store->describe(request.key) +
                                          ": it changed while it was read")
              .set_retryable(true);
        writes.push_back(
            {to, request.destination.front().first(
                     static_cast<std::size_t>(request.bytes_read))});
      }
      target_.store->write_many(writes, nullptr);
      for (const WriteRequest& written : writes)
        note_moved(written.key, static_cast<std::int64_t>(written.bytes.size()),
                   content_hash(written.bytes), report);
      pulse.beat(0);
    }
    for (const Shape& object : large) move(object, arena, pulse, report);
  }
}

void PassthroughCopy::note_missing(const std::string& to,
                                   StageReport& report) const {
  if (target_.erase_missing) target_.store->erase(to);
  report.skipped.objects_read += 1;
  report.skipped.objects_written += 1;
}

void PassthroughCopy::note_moved(const std::string& to, std::int64_t bytes,
                                 std::uint64_t hash,
                                 StageReport& report) const {
  report.counted.objects_read += 1;
  report.counted.objects_written += 1;
  report.counted.stored_bytes_read += bytes;
  report.counted.stored_bytes_written += bytes;
  note_written(report, to, bytes, hash);
}

void PassthroughCopy::move(const Shape& object, Arena& arena,
                           Pulse::Task& pulse, StageReport& report) const {
  const ArenaScope scope(arena);
  const auto buffer = arena.take(kPassthroughBufferBytes);
  const std::string from = source_.key(object), to = target_.key(object);
  std::unique_ptr<ObjectWriter> writer;
  ContentHash hash;
  std::int64_t moved = 0;
  const auto bytes = read_pieces(
      *source_.store, from, {}, buffer,
      [&](std::span<const std::byte> piece, std::int64_t total) {
        if (!writer) check_bytes(source_, from, total);
        pulse.beat(0);  // Nothing is decoded or encoded.
        with_context(
            [&] {
              // Not before the first piece, because the source may lack the
              // object.
              if (!writer) writer = target_.store->open_writer(to);
              writer->append(piece);
              hash.append(piece);
              moved += static_cast<std::int64_t>(piece.size());
              if (moved == total) writer->commit();
            },
            [&] { return "writing " + target_.store->describe(to); });
      },
      [&](const ReadRequest& request) { note_source(report, request); });
  if (!bytes) return note_missing(to, report);
  note_moved(to, moved, hash.value(), report);
}

void PassthroughCopy::visit_sources(std::int64_t task,
                                    const VisitObject& visit) const {
  for_each_point(objects_.cells_touching(tasks_.task(task)),
                 [&](const Shape& object) {
                   ReadRequest request{.key = source_.key(object)};
                   source_.store->read_one(request);
                   visit(request);
                 });
}

void PassthroughCopy::note_targets(std::int64_t task,
                                   std::span<std::byte> buffer,
                                   ObjectSums& sums) const {
  for_each_point(
      objects_.cells_touching(tasks_.task(task)), [&](const Shape& object) {
        note_existing(sums, *target_.store, target_.key(object), 0, buffer);
      });
}

}  // namespace rechunk
