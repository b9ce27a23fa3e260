// Consolidated metadata is always rebuilt from the documents that it repeats.
#include <chrono>
#include <span>
#include <thread>

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

}  // namespace

// Runs into other arrays of the group may end at the same time. The one that
// publishes last may have read first. So this looks again each time.
void consolidate_again(Store& store) {
  const auto zarr_json = read_text(store, "zarr.json");
  const bool v3 = zarr_json && has_consolidated_v3(*zarr_json);
  if (!v3 && (zarr_json || !has_object(store, ".zmetadata"))) return;
  constexpr int kMostFailures = 5;
  for (int failures = 0;;) {
    try {
      if (publish_consolidated(store, v3)) return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kIo || ++failures == kMostFailures) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
}

}  // namespace rechunk
