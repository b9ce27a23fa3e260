#include <utility>

#include "exec/array_copy.h"
#include "plan/planner.h"
#include "rechunk/error.h"

namespace rechunk {

PassthroughCopy::PassthroughCopy(const StagedCopySpec& spec,
                                 const Shape& objects, Side source, Side target)
    : tasks_(spec.shape, spec.component, spec.stages[0].chunks),
      objects_(spec.shape, objects),
      source_(std::move(source)),
      target_(std::move(target)) {}

TaskResult PassthroughCopy::run(std::int64_t task, Arena& arena) const {
  TaskResult result;
  for_each_point(
      objects_.cells_touching(tasks_.task(task)),
      [&](const Shape& object) { move(object, arena, result.report); });
  result.report.counted.tasks = 1;
  return result;
}

void PassthroughCopy::move(const Shape& object, Arena& arena,
                           StageReport& report) const {
  const ArenaScope scope(arena);
  const auto buffer = arena.take(kPassthroughBufferBytes);
  const std::string from =
      join_key(source_.path, chunk_key(source_.key_encoding, object));
  const std::string to =
      join_key(target_.path, chunk_key(target_.key_encoding, object));
  std::unique_ptr<ObjectWriter> writer;
  std::int64_t moved = 0;
  for (;;) {
    ReadRequest request{.key = from, .offset = moved, .destination = {buffer}};
    with_context(
        [&] {
          source_.store->read_many({&request, 1});
        },
        [&] { return "reading " + source_.store->describe(from); });
    if (!request.found && moved == 0) {
      report.skipped.objects_read += 1;
      report.skipped.objects_written += 1;
      return;
    }
    if (!request.found ||
        (request.bytes_read == 0 && moved < request.object_bytes))
      throw Error(ErrorKind::kIo, "reading " + source_.store->describe(from) +
                                      ": it changed while it was read");
    with_context(
        [&] {
          if (!writer) writer = target_.store->open_writer(to);
          writer->append(
              buffer.first(static_cast<std::size_t>(request.bytes_read)));
          moved += request.bytes_read;
          if (moved >= request.object_bytes) writer->commit();
        },
        [&] { return "writing " + target_.store->describe(to); });
    if (moved >= request.object_bytes) break;
  }
  report.counted.objects_read += 1;
  report.counted.objects_written += 1;
  report.counted.stored_bytes_read += moved;
  report.counted.stored_bytes_written += moved;
}

}  // namespace rechunk
