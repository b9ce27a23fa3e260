#include "exec/passthrough_copy.h"

#include <fmt/format.h>

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
      source_(std::move(source)),
      target_(std::move(target)),
      pulse_(pulse) {}

TaskResult PassthroughCopy::run(int /*stage*/, std::int64_t task,
                                Arena& arena) const {
  TaskResult result;
  Pulse::Task pulse(pulse_);
  for_each_point(
      objects_.cells_touching(tasks_.task(task)),
      [&](const Shape& object) { move(object, arena, pulse, result.report); });
  result.report.counted.tasks = 1;
  return result;
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
  if (!bytes) {
    if (target_.erase_missing) target_.store->erase(to);
    report.skipped.objects_read += 1;
    report.skipped.objects_written += 1;
    return;
  }
  report.counted.objects_read += 1;
  report.counted.objects_written += 1;
  report.counted.stored_bytes_read += moved;
  report.counted.stored_bytes_written += moved;
  note_written(report, to, moved, hash.value());
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
