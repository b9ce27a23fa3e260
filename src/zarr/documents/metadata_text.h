// Common parts of the documents of v2 and v3, of arrays and groups: reading and
// writing their members. Internal to zarr/.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/raw_json.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

/// The v2 attribute in which xarray keeps the names of the dimensions.
inline constexpr std::string_view kDimensionsAttribute = "_ARRAY_DIMENSIONS";

/// Members of a whole document. Throws: corrupt (not one JSON object).
std::vector<raw_json::Member> document_members(std::string_view document);

/// Their names and their JSON.
using Members = std::map<std::string, std::string_view>;

/// Throws: corrupt (the key is missing).
std::string_view required_member(const Members& members,
                                 const std::string& key);

/// Throws corrupt: the member cannot have this value.
[[noreturn]] void bad_member(std::string_view key, std::string_view json);

/// Checks the length of a member that rechunk interprets, because it is parsed
/// several times. Attributes and unknown members are only copied.
/// Throws: corrupt (longer than a mebibyte).
void check_length(const raw_json::Member& member);

/// True for documents of the drafts of Zarr v3 that zarr-python 2 wrote: they
/// name their format by a URL.
bool is_early_draft(std::string_view document);

/// The text of an object of attributes, checked and otherwise verbatim.
/// Throws: corrupt (not an object).
std::string parse_attributes(std::string_view document);

/// Chunk lengths of an array of that shape. On an axis of length 0 old writers
/// write a chunk length of 0; it counts as 1. Throws: corrupt.
Shape parse_chunk_shape(std::string_view json, std::string_view what,
                        const Shape& shape);

/// Members of a v3 document that rechunk does not know. Throws: unsupported
/// unless the member is an object with "must_understand": false.
std::pair<std::string, std::string> optional_extension(
    const raw_json::Member& member);

/// A document under construction: one member after the other, indented by 2 as
/// in zarr-python. Attributes and unknown members are copied unchanged.
class DocumentText {
 public:
  void add(std::string_view key, std::string_view value);
  void add_verbatim(std::string_view key, std::string_view value);
  std::string text() const;

 private:
  std::string members_;
};

std::vector<std::pair<std::string, std::string>> format_array_v2(
    const ArrayMetadata& metadata);
std::vector<std::pair<std::string, std::string>> format_array_v3(
    const ArrayMetadata& metadata);

}  // namespace rechunk
