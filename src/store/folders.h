// What a store of files does about symbolic links. Reading follows them, as
// Zarr does: arrays of one group may lie on several disks. Nothing is written
// or removed through them: what lies behind a link is not the store's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

inline constexpr std::string_view kPartialSuffix = ".partial";

/// True for the name of an unfinished object of ours,
/// "<name>.<process>-<number>.partial"; what users call so is theirs.
bool is_partial(std::string_view name);

/// Calls `visit(key, bytes)` for each file below `folder`, whose key is
/// `prefix`; unfinished objects (.partial) excepted. Links to folders are
/// followed, but those that lead to a folder which holds them are visited like
/// files, and so are those that lead nowhere: 0 bytes, nothing to read, but to
/// be erased. An absent folder holds nothing. Ends when `visit` returns false.
/// Throws: io (also where links multiply what there is beyond all measure).
void list_files(const std::string& folder, std::string_view prefix,
                const VisitListed& visit);

/// The first folder on the way from `root` to `path` that is a link; neither
/// `root` nor `path` itself. Requires: `path` begins with `root` and a slash.
std::optional<std::string> link_between(const std::string& root,
                                        const std::string& path);

}  // namespace rechunk
