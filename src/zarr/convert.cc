// From v2 to v3 and back. The Zarr fill value stays the fill value: xarray
// takes that of v2 for its missing value and wants a `_FillValue` attribute in
// v3, but adding one would change what the data mean to everyone else, so none
// is added. The other way, xarray would take a v3 fill value of zero, which v3
// merely has to name, for its missing value; see `v2_fill_value`.
// Members that only one format knows (`extra`) are left behind.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rechunk/error.h"
#include "zarr/codec_spec.h"
#include "zarr/element_type.h"
#include "zarr/fill_value.h"
#include "zarr/metadata.h"
#include "zarr/metadata_text.h"
#include "zarr/raw_json.h"
#include "zarr/v2_codecs.h"

namespace rechunk {
namespace {

[[noreturn]] void unsupported(const std::string& cause, std::string hint = {}) {
  throw Error(ErrorKind::kUnsupported, cause, std::move(hint));
}

ArrayMetadata to_v3(const ArrayMetadata& source) {
  if (source.data_type.v3.empty())
    unsupported(fmt::format(
        "Zarr v3 has no data type for {}{}", source.data_type.label(),
        has_mixed_byte_order(source.data_type) ? " of mixed byte order" : ""));
  const CodecParts parts = split_codecs(source.codecs);
  for (const CodecSpec& codec : parts.after)
    if (codec_kind(codec.name) == CodecKind::kArrayToArray)
      unsupported(
          fmt::format("Zarr v3 cannot apply {} to encoded bytes", codec.name));
  ArrayMetadata target = source;
  target.zarr_format = 3;
  target.key_encoding = {};
  target.fill_value =
      convert_fill_value(source.fill_value, source.data_type, 3);
  target.v2_compressor = target.v2_filters = "null";
  target.v2_order_f = false;
  target.extra.clear();
  if (source.attributes && source.dimension_names)
    target.attributes =
        raw_json::without_member(*source.attributes, kDimensionsAttribute);
  return target;
}

bool is_zeros(const FillValue& fill) {
  if (fill.bits.empty()) return fill.json == "\"\"";
  return std::all_of(fill.bits.begin(), fill.bits.end(),
                     [](std::byte b) { return b == std::byte{0}; });
}

/// Zeros become null, which reads as zeros too, where names say that this may
/// be xarray's and no attribute says that zero is the missing value: it is what
/// xarray itself writes in v2.
FillValue v2_fill_value(const ArrayMetadata& source) {
  const bool has_missing_value =
      source.attributes &&
      raw_json::find(*source.attributes, "_FillValue").has_value();
  const FillValue null = parse_fill_value("null", source.data_type, 2);
  if (source.dimension_names && !has_missing_value &&
      is_zeros(source.fill_value) && null.bits == source.fill_value.bits)
    return null;
  return convert_fill_value(source.fill_value, source.data_type, 2);
}

/// The attribute that xarray reads the names from in v2.
std::string with_dimensions(const std::string& attributes,
                            const ArrayMetadata& target) {
  std::string json;
  for (const auto& name : *target.dimension_names)
    json += (json.empty() ? "" : ", ") +
            (name ? raw_json::quote(*name) : std::string("null"));
  return raw_json::with_member(attributes, kDimensionsAttribute,
                               '[' + json + ']');
}

ArrayMetadata to_v2(const ArrayMetadata& source) {
  if (source.data_type.v2.empty())
    unsupported(fmt::format("Zarr v2 has no data type for {}",
                            source.data_type.label()));
  ArrayMetadata target = source;
  target.zarr_format = 2;
  target.key_encoding = {true, source.key_encoding.separator};
  // Without dimensions v3 has no need for names, but xarray's v2 has.
  if (source.shape.empty()) target.dimension_names.emplace();
  target.fill_value = v2_fill_value(target);
  target.extra.clear();
  target.attributes = source.attributes.value_or("{}");
  if (target.dimension_names)
    target.attributes = with_dimensions(*target.attributes, target);
  set_v2_codecs(target);
  return target;
}

}  // namespace

ArrayMetadata convert_format(const ArrayMetadata& source, int zarr_format) {
  if (zarr_format != 2 && zarr_format != 3)
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("there is no Zarr format {}", zarr_format));
  if (source.zarr_format == zarr_format) return source;
  return with_context(
      [&] { return zarr_format == 3 ? to_v3(source) : to_v2(source); },
      [&] { return fmt::format("converting to Zarr v{}", zarr_format); });
}

}  // namespace rechunk
