// Consolidated metadata is always rebuilt from the documents that it repeats.
#include <chrono>
#include <span>
#include <thread>

#include "base/at_once.h"
#include "rechunk/error.h"
#include "zarr/documents/group_text.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

// True if the published text agrees with the documents. Else publishes it anew.
bool publish_consolidated(Store& store, bool v3) {
  const char* key = v3 ? "zarr.json" : ".zmetadata";
  store.drop_unfinished(key);
  // The writer is opened before the documents are read. A process that changes
  // them meanwhile drops this unfinished object. So an old state is never
  // published.
  const auto writer = store.open_writer(key);
  const Hierarchy now = read_hierarchy(store);
  const std::string text =
      v3 ? format_consolidated_v3(now, "") : format_consolidated_v2(now, "");
  if (read_text(store, key) == text) return true;
  writer->append(std::as_bytes(std::span(text)));
  writer->commit();
  return false;
}

// 0: there is none. Both documents are asked for at once.
int consolidated_format(const Store& store) {
  std::optional<std::string> zarr_json;
  bool has_zmetadata = false;
  at_once(store.medium().is_remote,
          {[&] { zarr_json = read_text(store, "zarr.json"); },
           [&] { has_zmetadata = has_object(store, ".zmetadata"); }});
  if (zarr_json) return has_consolidated_v3(*zarr_json) ? 3 : 0;
  return has_zmetadata ? 2 : 0;
}

}  // namespace

bool has_consolidated(const Store& store) {
  return consolidated_format(store) != 0;
}

// Runs into other arrays of the group may end at the same time. The one that
// publishes last may have read first. So this looks again each time.
void consolidate_again(Store& store) {
  const int format = consolidated_format(store);
  if (format == 0) return;
  constexpr int kMostFailures = 5;
  for (int failures = 0;;) {
    try {
      if (publish_consolidated(store, format == 3)) return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kIo || ++failures == kMostFailures) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

}  // namespace rechunk
