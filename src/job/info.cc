// What lies below a URL, for people.
#include "rechunk/info.h"

#include "zarr/documents/dimension_names.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

void count_objects(const Store& store, ArrayInfo& info) {
  if (!store.can_list()) return;
  info.objects = info.stored_bytes = 0;
  store.list(info.name, [&](std::string_view key, std::int64_t bytes) {
    if (is_document(key)) return;
    ++*info.objects;
    *info.stored_bytes += bytes;
  });
}

ArrayInfo describe(const Store& store, const std::string& path,
                   const ArrayMetadata& array) {
  ArrayInfo info;
  info.name = path;
  info.zarr_format = array.zarr_format;
  info.shape = array.shape;
  info.dtype = array.data_type.label();
  info.chunks = inner_chunks(array);
  info.shards = shards_of(array).value_or(Shape{});
  info.codecs = describe_codecs(array);
  info.fill_value = array.fill_value.json;
  info.dimension_names = dimension_names_of(array);
  info.bytes =
      checked_multiply(element_count(array.shape), array.data_type.item_bytes);
  count_objects(store, info);
  return info;
}

}  // namespace

std::vector<ArrayInfo> info(const std::string& url,
                            const StorageOptions& storage,
                            const std::vector<std::string>& references_below) {
  const auto store = open_store(url, storage, references_below);
  const Hierarchy hierarchy = read_hierarchy(*store);
  std::vector<ArrayInfo> infos;
  for (const auto& [path, array] : hierarchy.arrays)
    infos.push_back(describe(*store, path, array));
  for (const auto& [path, array] : hierarchy.unread) {
    ArrayInfo& info = infos.emplace_back();
    info.name = path;
    info.zarr_format = hierarchy.zarr_format;
    info.cause = array.cause;
    count_objects(*store, info);
  }
  return infos;
}

}  // namespace rechunk
