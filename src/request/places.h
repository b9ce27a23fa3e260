// The local places of a job: checks that they do not overlap and have room, and
// the default place for temporary data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// Throws: invalid_argument if both places are the same or one is inside the
/// other, even under other names.
void check_apart(const std::string& source, const std::string& target);

/// The same of the place for temporary data; "" is no place.
void check_temp_apart(const std::string& temp, const std::string& source,
                      const std::string& target);

/// Throws: unsupported if the target is a zip archive that is to be made.
/// Readers would take a folder of that name for one.
void check_zip_target(const std::string& target);

/// A folder for the temporary data of one target. The run may empty it. It is
/// hidden, beside the target ("/data/.b.zarr.rechunk-temp"), or in `temp`, if
/// that is given.
std::string temp_place(const std::string& temp, const std::string& target);

/// Syncs the file systems of these places to their disks, each once; "" is no
/// place. Throws: io.
void sync_file_systems(const std::vector<std::string>& places);

/// True for places that `temp_place` makes. The run empties this place, so a
/// plan file must not name any other.
bool is_temp_place(const std::string& place);

/// True if both texts name the same place.
bool same_place(const std::string& a, const std::string& b);

/// Opens a place that rechunk makes for itself and empties. Throws: io if it is
/// a symbolic link, because in a shared folder anyone may have put it there.
std::shared_ptr<Store> open_own_store(const std::string& place);

/// Throws: io if the file system of a local place has less than `bytes` free
/// for `what`.
void check_free_space(const std::string& place, std::int64_t bytes,
                      const std::string& what, const std::string& hint);

/// A folder beside the target, in which trees are built that will replace it:
/// "/data/.b.zarr.rechunk-new"; and the tree of one plan there.
std::string replacement_folder(const std::string& target);
std::string replacement_place(const std::string& target,
                              const std::string& number);

/// True for what `replacement_place` names for that target.
bool is_replacement_of(const std::string& place, const std::string& target);

/// The local path of a place, absolute and without links.
std::string real_path(const std::string& place);

/// True if the place is a link, even one that points nowhere.
bool is_link(const std::string& place);

/// The place as an absolute path, for processes in other folders. URLs stay.
std::string absolute_place(const std::string& place);

/// Beside the target. It distinguishes an unfinished target from a user's
/// folder.
std::string journal_place(const std::string& target);

}  // namespace rechunk
