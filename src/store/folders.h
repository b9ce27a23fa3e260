// How a store of files handles symbolic links. Reading follows them, as in
// Zarr: arrays of one group may be on several disks. Nothing is written or
// removed through links: files behind a link do not belong to the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

inline constexpr std::string_view kPartialSuffix = ".partial";

/// True for the name of an unfinished object of rechunk,
/// "<name>.<process>-<number>.partial". Other files may end in ".partial".
bool is_partial(std::string_view name);

/// Calls `visit(key, bytes)` for each file below `folder`, whose key is
/// `prefix`, except unfinished objects (.partial). Links to folders are
/// followed. Two kinds of links are visited like files of 0 bytes, so that they
/// can be erased: those to a folder that contains them, and those that point
/// nowhere. An absent folder holds nothing. Ends when `visit` returns false.
/// Throws: io (also if there are far too many links to folders).
void list_files(const std::string& folder, std::string_view prefix,
                const VisitListed& visit);

/// The first folder on the way from `root` to `path` that is a link; neither
/// `root` nor `path` itself. Requires: `path` begins with `root` and a slash.
std::optional<std::string> link_between(const std::string& root,
                                        const std::string& path);

/// True if a folder lies in memory, and on no disk.
bool is_in_memory(const std::string& folder);

}  // namespace rechunk
