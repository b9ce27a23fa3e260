#include "verify/compare_hierarchies.h"

#include <fmt/format.h>

#include "base/array_label.h"
#include "rechunk/error.h"
#include "verify/compare_elements.h"
#include "verify/same_encoded.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"

namespace rechunk {
namespace {

// Why two arrays cannot hold the same elements; "" if they can.
std::string metadata_difference(const ArrayMetadata& a,
                                const ArrayMetadata& b) {
  if (a.shape != b.shape)
    return fmt::format("shapes {} and {}", to_string(a.shape),
                       to_string(b.shape));
  if (!same_type(a.data_type, b.data_type))
    return fmt::format("types {} and {}", a.data_type.label(),
                       b.data_type.label());
  return "";
}

// "" if it can be decoded.
std::string why_not_decoded(const ArrayMetadata& array) {
  try {
    make_layout(array);
    return "";
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return error.what();
  }
}

Comparison::Array compare_arrays(const StoredArray& a, const StoredArray& b,
                                 const ReadOptions& options) {
  Comparison::Array result;
  result.difference = metadata_difference(a.metadata, b.metadata);
  if (!result.difference.empty()) return result;
  // If both sides are encoded alike, equal bytes are equal elements.
  if (!is_decodable(a.metadata) &&
      (same_encoding(a.metadata, b.metadata) ||
       same_chunk_encoding(a.metadata, b.metadata))) {
    result.equal = same_encoded(a, b, options);
    if (!result.equal) result.difference = "encoded chunks differ";
    return result;
  }
  for (const StoredArray* array : {&a, &b}) {
    result.difference = why_not_decoded(array->metadata);
    result.compared = result.difference.empty();
    if (!result.compared) return result;
  }
  return compare_elements(a, b, options);
}

}  // namespace

Comparison compare_hierarchies(std::shared_ptr<Store> store_a,
                               const Hierarchy& a,
                               std::shared_ptr<Store> store_b,
                               const Hierarchy& b, const ReadOptions& options) {
  Comparison comparison;
  comparison.equal = true;
  const auto add = [&](Comparison::Array array) {
    comparison.equal = comparison.equal && array.equal;
    comparison.arrays.push_back(std::move(array));
  };
  const auto add_unread = [&](const std::string& path, const Hierarchy& own,
                              const Hierarchy& other, const char* only) {
    if (other.arrays.contains(path) || other.unread.contains(path))
      add({.name = path,
           .compared = false,
           .difference = own.unread.at(path).cause});
    else
      add({.name = path, .difference = only});
  };
  for (const auto& [path, array] : a.unread) {
    const auto other = b.unread.find(path);
    if (other == b.unread.end() || other->second.documents != array.documents) {
      add_unread(path, a, b, "only the first has it");
      continue;
    }
    Comparison::Array result{.name = path};
    result.difference = difference_as_stored(*store_a, *store_b, path, options);
    result.equal = result.difference.empty();
    add(std::move(result));
  }
  for (const auto& [path, array] : b.unread)
    if (!a.unread.contains(path))
      add_unread(path, b, a, "only the second has it");
  for (const auto& [path, array] : a.arrays) {
    // The loop before has added it.
    if (b.unread.contains(path)) continue;
    const auto other = b.arrays.find(path);
    if (other == b.arrays.end()) {
      add({.name = path, .difference = "only the first has it"});
      continue;
    }
    Comparison::Array result = with_context(
        [&] {
          return compare_arrays({store_a, path, array},
                                {store_b, path, other->second}, options);
        },
        [&] { return array_label(path); });
    result.name = path;
    add(std::move(result));
  }
  for (const auto& [path, array] : b.arrays)
    if (!a.arrays.contains(path) && !a.unread.contains(path))
      add({.name = path, .difference = "only the second has it"});
  return comparison;
}

}  // namespace rechunk
