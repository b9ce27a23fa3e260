#include "plan/passthrough.h"

#include <algorithm>

#include "plan/geometry.h"

namespace rechunk {
namespace {

constexpr std::int64_t kTaskBytes = 16 << 20;

}  // namespace

// Encoded objects move one by one, in tasks of some neighbours.
StagedCopySpec plan_passthrough(const ArrayProblem& array,
                                StagedCopySpec spec) {
  spec.method = Method::kPassthrough;
  spec.component = clip(array.shape, array.shape);
  CopySpec stage;
  stage.source = "source";
  stage.target = "target";
  stage.chunks = clip(array.target.objects, array.shape);
  const std::int64_t item_bytes = std::max<std::int64_t>(1, array.item_bytes);
  for (std::size_t axis = stage.chunks.size(); axis-- > 0;)
    while (stage.chunks[axis] < array.shape[axis] &&
           element_count(stage.chunks) * 2 <= kTaskBytes / item_bytes)
      stage.chunks[axis] = std::min(array.shape[axis], stage.chunks[axis] * 2);
  stage.block = stage.chunks;
  stage.tasks = Grid(array.shape, stage.chunks).cell_count();
  stage.max_task_bytes = kPassthroughBufferBytes;
  stage.objects_read = stage.objects_written =
      Grid(array.shape, array.target.objects).cell_count();
  spec.stages = {stage};
  spec.reasons = {
      "source and target share grid, type and codecs: encoded "
      "objects are moved as they are"};
  return spec;
}

}  // namespace rechunk
