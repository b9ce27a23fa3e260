#include "store/archives.h"

#include <algorithm>
#include <string_view>

#include "store/file_url.h"
#include "store/reference_store.h"
#include "store/zip_store.h"

namespace rechunk {
namespace {

/// An object that may be a store, and what its store may need.
struct Archive {
  const std::shared_ptr<Store>& outer;
  const std::string& key;
  const std::string& url;
  const StorageOptions& options;
  const std::vector<std::string>& references_below;
};

std::shared_ptr<Store> open_zip(const Archive& archive) {
  return make_zip_store(archive.outer, archive.key, archive.url);
}

std::shared_ptr<Store> open_references(const Archive& archive) {
  return make_reference_store(*archive.outer, archive.key, archive.url,
                              archive.references_below, archive.options);
}

struct ArchiveRow {
  std::string_view suffix;
  std::shared_ptr<Store> (&open)(const Archive& archive);
};

constexpr ArchiveRow kArchives[] = {
    {".zip", open_zip},
    {".ozx", open_zip},  // OME-Zarr's name for it.
    {".json", open_references},
};

const ArchiveRow* row_of_name(std::string_view name) {
  // A document of an array or a group is no archive, whatever its name ends in.
  if (name == "zarr.json") return nullptr;
  const auto row = std::find_if(
      std::begin(kArchives), std::end(kArchives), [&](const ArchiveRow& one) {
        return name.size() > one.suffix.size() && name.ends_with(one.suffix);
      });
  return row == std::end(kArchives) ? nullptr : row;
}

}  // namespace

bool names_zip(std::string_view place) {
  place = place.substr(0, place.find_last_not_of('/') + 1);
  const ArchiveRow* row = row_of_name(place.substr(place.rfind('/') + 1));
  return row && row->open == open_zip;
}

std::shared_ptr<Store> open_archive(
    const std::string& url, const StorageOptions& options,
    const std::vector<std::string>& references_below) {
  const bool is_remote =
      url.find("://") != std::string::npos && !url.starts_with(kFileScheme);
  const std::string place = is_remote ? url : file_path(url);
  // The host or bucket of a URL is no object.
  std::size_t begin = is_remote ? place.find("://") + 3 : 0;
  if (is_remote) begin = std::min(place.find('/', begin), place.size() - 1) + 1;
  while (begin < place.size()) {
    const std::size_t end = std::min(place.find('/', begin), place.size());
    const std::string key = place.substr(begin, end - begin);
    if (const ArchiveRow* row = row_of_name(key)) {
      // Without the slash, unless it is all there is.
      const std::string above = place.substr(0, begin > 1 ? begin - 1 : begin);
      const auto outer = open_store(above.empty() ? "." : above, options);
      ReadRequest request{.key = key};
      outer->read_one(request);
      if (request.found) {
        const std::string archive = place.substr(0, end);
        const auto store =
            row->open({outer, key, archive, options, references_below});
        const auto inside = place.find_first_not_of('/', end);
        if (inside == std::string::npos) return store;
        return store->below(
            place.substr(inside, place.find_last_not_of('/') - inside + 1));
      }
    }
    begin = end + 1;
  }
  return nullptr;
}

}  // namespace rechunk
