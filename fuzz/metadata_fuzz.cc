// Documents of arrays. What parses must be usable, and what is written of it
// must parse as the same array.
#include "input.h"
#include "targets.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/metadata.h"
#include "zarr/documents/with_layout.h"

namespace rechunk::fuzz {
namespace {

ArrayMetadata parse(const Objects& documents) {
  const auto text = [&](const char* name) -> std::optional<std::string> {
    const auto found = documents.find(name);
    if (found == documents.end()) return {};
    return found->second;
  };
  if (const auto zarr_json = text("zarr.json"))
    return parse_array_v3(*zarr_json);
  return parse_array_v2(text(".zarray").value_or(""), text(".zattrs"));
}

ArrayMetadata parse_again(const ArrayMetadata& metadata) {
  Objects documents;
  for (const auto& [name, text] : format_array(metadata))
    documents[name] = text;
  try {
    return parse(documents);
  } catch (const Error& error) {
    throw Finding(std::string("what was written cannot be read: ") +
                  error.what());
  }
}

void check_round_trip(const ArrayMetadata& metadata) {
  const ArrayMetadata again = parse_again(metadata);
  require(again.shape == metadata.shape && again.chunks == metadata.chunks,
          "shape or chunks change when they are written");
  require(same_type(again.data_type, metadata.data_type),
          "the type changes when it is written");
  require(again.fill_value.bits == metadata.fill_value.bits,
          "the fill value changes when it is written");
  require(again.attributes.has_value() == metadata.attributes.has_value() ||
              metadata.zarr_format == 3,
          "attributes come or go when they are written");
  bool alike = true;
  succeeds([&] {
    alike =
        !same_encoding(metadata, metadata) || same_encoding(again, metadata);
  });
  require(alike, "the encoding changes when it is written");
}

void use_layout(const ArrayMetadata& metadata) {
  const ArrayLayout layout = make_layout(metadata);
  const std::int64_t bytes = layout.chunk_bytes();
  require(bytes >= layout.item_bytes, "a chunk holds no element");
  require(layout.fill.size() == static_cast<std::size_t>(layout.item_bytes),
          "the fill value is no element");
  layout.codecs.max_encoded_bytes(bytes);
  layout.codecs.scratch_bytes(bytes);
}

void use_other_layouts(const ArrayMetadata& metadata) {
  const Shape ones(metadata.shape.size(), 1);
  succeeds([&] {
    check_round_trip(with_layout(metadata, {inner_chunks(metadata)}));
  });
  succeeds([&] { check_round_trip(with_layout(metadata, {ones, ones})); });
  succeeds([&] {
    const std::vector<CodecSpec> codecs = {{"zstd", R"({"level": 1})"}};
    check_round_trip(with_layout(metadata, {ones, {}, codecs}));
  });
}

}  // namespace

void fuzz_metadata(std::string_view input) {
  ArrayMetadata metadata;
  if (!succeeds([&] { metadata = parse(parse_objects(input)); })) return;
  check_round_trip(metadata);
  succeeds([&] { use_layout(metadata); });
  succeeds([&] { describe_codecs(metadata); });
  metadata.data_type.label();
  use_other_layouts(metadata);
  ArrayMetadata other;
  if (succeeds(
          [&] { other = convert_format(metadata, 5 - metadata.zarr_format); }))
    check_round_trip(other);
}

}  // namespace rechunk::fuzz
