// From v2 to v3 and back. Arrays that xarray opens keep their missing value
// (missing_value.h); others keep their fill value. Members that only one format
// knows (`extra`) are left behind.
#include "zarr/documents/convert.h"

#include <fmt/format.h>

#include <tuple>
#include <utility>

#include "json/raw_json.h"
#include "rechunk/error.h"
#include "zarr/documents/codec_spec.h"
#include "zarr/documents/members_v2.h"
#include "zarr/documents/metadata.h"
#include "zarr/documents/metadata_text.h"
#include "zarr/documents/missing_value.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/fill_value.h"

namespace rechunk {
namespace {

[[noreturn]] void unsupported(const std::string& cause, std::string hint = {}) {
  throw Error(ErrorKind::kUnsupported, cause, std::move(hint));
}

ArrayMetadata to_v3(const ArrayMetadata& source) {
  if (source.data_type.v3.empty() &&
      element_type(source.data_type).kind == ElementType::Kind::kUnknown)
    unsupported(fmt::format("rechunk does not know the data type {}",
                            raw_json::quote(source.data_type.label())));
  if (source.data_type.v3.empty())
    unsupported(fmt::format(
        "Zarr v3 has no data type for {}{}", source.data_type.label(),
        has_mixed_byte_order(source.data_type) ? " of mixed byte order" : ""));
  const CodecParts parts = split_codecs(source.codecs);
  // In v2 a filter may come after one that makes bytes.
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
  target.v2_dtype.clear();
  target.v2_order_f = false;
  target.extra.clear();
  // In v3 the names of dimensions are a member of the document.
  if (opened_by_xarray(source))
    target.attributes = raw_json::without_member(attributes_in_v3(source),
                                                 kDimensionsAttribute);
  for (CodecSpec& codec : target.codecs) codec = codec_in_v3(codec);
  return target;
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
  target.extra.clear();
  target.attributes = source.attributes.value_or("{}");
  if (opened_by_xarray(source))
    std::tie(target.fill_value, target.attributes) = fill_value_in_v2(source);
  else
    target.fill_value =
        convert_fill_value(source.fill_value, source.data_type, 2);
  // Without dimensions v3 needs no names. In v2, xarray needs the empty list.
  if (source.shape.empty()) target.dimension_names.emplace();
  if (target.dimension_names)
    target.attributes = with_dimensions(*target.attributes, target);
  set_v2_codecs(target);
  return target;
}

}  // namespace

ArrayMetadata standard_spelling(ArrayMetadata metadata) {
  metadata.fill_value = standard_fill_value(
      metadata.fill_value, metadata.data_type, metadata.zarr_format);
  if (metadata.zarr_format == 3) return metadata;
  metadata.v2_dtype.clear();
  if (metadata.v2_compressor != "null")
    metadata.v2_compressor = standard_codec_v2(metadata.v2_compressor);
  if (metadata.v2_filters == "null") return metadata;
  std::string filters;
  bool changed = false;
  for (std::string_view filter : raw_json::elements(metadata.v2_filters)) {
    const std::string text = standard_codec_v2(filter);
    changed |= text != filter;
    filters += (filters.empty() ? "" : ", ") + text;
  }
  if (changed) metadata.v2_filters = '[' + filters + ']';
  return metadata;
}

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
