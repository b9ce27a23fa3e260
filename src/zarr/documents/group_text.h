// The documents of groups, and consolidated metadata, as text. Internal to
// zarr/. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zarr/documents/hierarchy.h"

namespace rechunk {

/// True if a v3 document says that it is a group, false if an array or, as an
/// early draft has them, something else. Throws: corrupt.
bool is_group_v3(std::string_view zarr_json);

/// True if a v3 group document has consolidated metadata. Throws: corrupt.
bool has_consolidated_v3(std::string_view zarr_json);

/// The keys of the documents that consolidated metadata names, and its own,
/// from the texts of zarr.json and .zmetadata. Empty without it. Throws:
/// corrupt.
std::vector<std::string> consolidated_keys(
    const std::optional<std::string>& zarr_json,
    const std::optional<std::string>& zmetadata);

/// Throws: corrupt, unsupported (a member that must be understood).
GroupMetadata parse_group_v3(std::string_view zarr_json);
GroupMetadata parse_group_v2(const std::optional<std::string>& zgroup,
                             const std::optional<std::string>& zattrs);

/// (file name, text) in the order in which they are to be written.
std::vector<std::pair<std::string, std::string>> format_group(
    const GroupMetadata& group);

/// The zarr.json of the group at a path with the metadata of all nodes below.
std::string format_consolidated_v3(const Hierarchy& hierarchy,
                                   const std::string& path);

/// The text of its .zmetadata.
std::string format_consolidated_v2(const Hierarchy& hierarchy,
                                   const std::string& path);

}  // namespace rechunk
