// A zip archive as a store that is read: it is an object of another store, and
// each entry is an object. zip_store.cc tells which requests it takes.
#pragma once

#include <memory>
#include <string>

#include "rechunk/store.h"

namespace rechunk {

/// `place` names the archive for people. Reads the archive's directory, which
/// stays in memory (zip_directory.h). Stored entries are read by ranges
/// straight into the caller's buffers. Deflated entries are decoded in pieces
/// of 256 KiB, which each thread that reads one takes beside the budget. What
/// is read as a whole is compared with the entry's CRC-32. Throws: as
/// ZipDirectory.
std::shared_ptr<Store> make_zip_store(std::shared_ptr<const Store> outer,
                                      const std::string& key,
                                      const std::string& place);

}  // namespace rechunk
