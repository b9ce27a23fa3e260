// Objects as files below a root folder, as Zarr's local stores have them.
//
// A file is written under "<name>.<unique>.partial" beside its place, then
// renamed, so that a reader sees all of an object or nothing. Nothing is
// synced to the disk. Only regular files are objects: reading anything else
// fails. Links are followed for reading only (folders.h). All methods may be
// called from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

/// `root` need not exist; it is made by the first write.
std::shared_ptr<Store> make_file_store(std::string root);

/// The same of a path or a file URL, without options. Throws: invalid_argument
/// (a file stands there: the message says of which format; an option).
std::shared_ptr<Store> open_folder(const std::string& place,
                                   const StorageOptions& options);

}  // namespace rechunk
