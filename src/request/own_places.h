// The places that rechunk makes for itself, and what must hold between all
// places of a job.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "rechunk/options.h"
#include "rechunk/store.h"

namespace rechunk {

/// Throws: invalid_argument if both places are the same or one is inside the
/// other, even under other names.
void check_apart(const std::string& source, const std::string& target);

/// The same of the place for temporary data; "" is no place.
void check_temp_apart(const std::string& temp, const std::string& source,
                      const std::string& target);

/// Throws: invalid_argument if the target is a file, unless that is a zip
/// archive which can be replaced, or lies in one; unsupported if it lies in an
/// archive, or if the options change an archive in place: archives are made
/// whole.
void check_archives(const std::string& target, const Options& options);

/// A place for the temporary data of one target. The run may empty it. It is
/// hidden, beside the target ("/data/.b.zarr.rechunk-temp"), or in `temp`, if
/// that is given.
std::string temp_place(const std::string& temp, const std::string& target);

/// True for places that `temp_place` makes. The run empties this place, so a
/// plan file must not name any other.
bool is_temp_place(const std::string& place);

/// Beside the target. It distinguishes an unfinished target from a user's
/// folder.
std::string journal_place(const std::string& target);

/// A folder beside the target, in which trees are built that will replace it:
/// "/data/.b.zarr.rechunk-new"; and the tree of one plan there.
std::string replacement_folder(const std::string& target);
std::string replacement_place(const std::string& target,
                              const std::string& number);

/// True for what `replacement_place` names for that target.
bool is_replacement_of(const std::string& place, const std::string& target);

/// A place whose store is open, if there is one.
struct OpenPlace {
  std::shared_ptr<const Store> store;
  std::string place;
};

/// Opens a place that rechunk makes for itself and empties. Beside a neighbour
/// that asks a server with the same options, it shares the connections of that.
/// Throws: io if it is a symbolic link, because in a shared folder anyone may
/// have put it there.
std::shared_ptr<Store> open_own_store(const std::string& place,
                                      const StorageOptions& options,
                                      const OpenPlace& neighbour = {});

/// Of all objects of a store.
std::int64_t stored_bytes(const Store& store);

/// Throws: io if the store has less than `bytes` free for `what`.
void check_free_space(const Store& store, std::int64_t bytes,
                      const std::string& what, const std::string& hint);

}  // namespace rechunk
