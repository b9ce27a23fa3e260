#include "zarr/documents/group_above.h"

#include <fmt/format.h>

#include "rechunk/error.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

int format_above(const Store& target) {
  auto above = target.above();
  while (above && !has_metadata(*above)) above = above->above();
  if (!above) return 0;
  const bool v2 = has_object(*above, ".zgroup");
  const bool v3 = has_object(*above, "zarr.json");
  // A group with documents of both formats can hold arrays of both.
  return v2 == v3 ? 0 : v2 ? 2 : 3;
}

int format_for(const Store& target, int asked) {
  const int above = format_above(target);
  if (asked != 0 && above != 0 && asked != above)
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("{}: the target {} lies in a group of Zarr v{}, "
                            "whose readers would not see it",
                            option("zarr_format", std::to_string(asked)),
                            target.describe(""), above),
                fmt::format("leave it out, or give {}; or choose a place that "
                            "is in no group",
                            above));
  return above != 0 ? above : asked;
}

void consolidate_above(const Store& target) {
  for (auto store = target.above(); store; store = store->above())
    with_context([&] { consolidate_again(*store); },
                 [&] {
                   return "rebuilding the consolidated metadata of " +
                          store->describe("");
                 });
}

}  // namespace rechunk
