#include "zarr/documents/group_above.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/at_once.h"
#include "rechunk/error.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {

namespace {

/// All folders above it, the nearest first.
std::vector<std::shared_ptr<Store>> all_above(const Store& target) {
  std::vector<std::shared_ptr<Store>> stores;
  for (auto store = target.above(); store; store = store->above())
    stores.push_back(store);
  return stores;
}

/// Runs `look(number)` for each folder, all at once if it waits for answers.
template <class Look>
void look_at_once(const Store& target, std::size_t count, Look&& look) {
  std::vector<std::function<void()>> actions;
  for (std::size_t at = 0; at < count; ++at)
    actions.emplace_back([&look, at] { look(at); });
  at_once(target.medium().is_remote, actions);
}

}  // namespace

int format_above(const Store& target) {
  const auto above = all_above(target);
  std::vector<NodeDocuments> found(above.size());
  bool is_done = false;
  look_at_once(target, above.size(), [&](std::size_t at) {
    if (!is_done) found[at] = node_documents(*above[at]);
    is_done = !target.medium().is_remote && found[at].any();
  });
  for (const NodeDocuments& group : found) {
    if (!group.any()) continue;
    const bool v2 = group.zgroup, v3 = group.zarr_json;
    // A group with documents of both formats can hold arrays of both.
    return v2 == v3 ? 0 : v2 ? 2 : 3;
  }
  return 0;
}

int format_for(const Store& target, int asked, int above) {
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

// Most folders are no groups, or have no consolidated metadata.
void consolidate_above(const Store& target) {
  const auto above = all_above(target);
  std::vector<char> has_some(above.size());
  look_at_once(target, above.size(), [&](std::size_t at) {
    has_some[at] = has_consolidated(*above[at]);
  });
  for (std::size_t at = 0; at < above.size(); ++at)
    if (has_some[at] != 0)
      with_context([&] { consolidate_again(*above[at]); },
                   [&] {
                     return "rebuilding the consolidated metadata of " +
                            above[at]->describe("");
                   });
}

}  // namespace rechunk
