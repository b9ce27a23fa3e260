// The local places of a job: that they do not overlap, have room, and where
// temporary data goes by default.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// Throws: invalid_argument if one place is the other or lies within it, under
/// whatever name.
void check_apart(const std::string& source, const std::string& target);

/// The same of the place for temporary data; "" is no place.
void check_temp_apart(const std::string& temp, const std::string& source,
                      const std::string& target);

/// Throws: unsupported if the target is a zip archive that is to be made.
/// Readers would take a folder of that name for one.
void check_zip_target(const std::string& target);

/// A folder for the temporary data of one target, which the run may empty: a
/// hidden sibling of the target ("/data/.b.zarr.rechunk-temp"), or one like it
/// within `temp`, where that is given.
std::string temp_place(const std::string& temp, const std::string& target);

/// Writes what the file systems of these places have not yet written to their
/// disks, each once; "" is no place. Throws: io.
void sync_file_systems(const std::vector<std::string>& places);

/// True for what `temp_place` names. A plan file that names another place for
/// temporary data would have a run empty it.
bool is_temp_place(const std::string& place);

/// True if both name one place, however they are written.
bool same_place(const std::string& a, const std::string& b);

/// Opens a place that rechunk makes for itself and empties. Throws: io if a
/// symbolic link stands there, which anyone may have put into a shared folder.
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

/// True if a link stands there, whatever it leads to.
bool is_link(const std::string& place);

/// The same place for processes that work in other folders; URLs stay.
std::string absolute_place(const std::string& place);

/// Beside the target: tells an unfinished target from somebody's folder.
std::string journal_place(const std::string& target);

}  // namespace rechunk
