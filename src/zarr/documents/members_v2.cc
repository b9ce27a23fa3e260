#include "zarr/documents/members_v2.h"

#include <fmt/format.h>

#include <algorithm>

#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"

namespace rechunk {
namespace {

/// The memory order of a chunk after all transposes: axis order[0] is slowest.
std::vector<int> memory_order(const std::vector<CodecSpec>& codecs,
                              std::size_t rank) {
  return transposed(c_order(rank), codecs);
}

/// True for order F, false for C.
bool is_order_f(const std::vector<CodecSpec>& codecs, std::size_t rank) {
  const auto order = memory_order(codecs, rank);
  if (std::is_sorted(order.begin(), order.end())) return false;
  if (!std::is_sorted(order.rbegin(), order.rend()))
    throw Error(ErrorKind::kUnsupported,
                fmt::format("Zarr v2 has only the orders C and F, not a "
                            "transpose to the axis order {}",
                            fmt::join(order, ", ")));
  return true;
}

void check_middle(const CodecSpec& middle) {
  if (is_sharding(middle))
    throw Error(ErrorKind::kUnsupported, "Zarr v2 has no shards",
                "remove the shards: " + option("shards", "none"));
  if (middle.name.empty())
    throw Error(ErrorKind::kCorrupt, "no codec that makes bytes of elements");
}

}  // namespace

void set_v2_codecs(ArrayMetadata& metadata) {
  const CodecParts parts = split_codecs(metadata.codecs);
  check_middle(parts.middle);
  // With fewer than two axes both orders are the same, so the source's word
  // stays.
  if (metadata.shape.size() > 1)
    metadata.v2_order_f = is_order_f(parts.before, metadata.shape.size());
  std::vector<std::string> filters;
  for (const CodecSpec& codec : parts.before)
    if (codec.name != "transpose") filters.push_back(codec_to_v2(codec));
  if (parts.middle.name != "bytes")
    filters.push_back(codec_to_v2(parts.middle));
  for (const CodecSpec& codec : parts.after)
    filters.push_back(codec_to_v2(codec));
  metadata.v2_compressor = "null";
  if (!parts.after.empty()) {
    metadata.v2_compressor = filters.back();
    filters.pop_back();
  }
  metadata.v2_filters =
      filters.empty() ? "null" : fmt::format("[{}]", fmt::join(filters, ", "));
  // The codecs become what readers will make of the document.
  const auto text = format_array(metadata).back().second;
  metadata.codecs = parse_array_v2(text, {}).codecs;
}

}  // namespace rechunk
