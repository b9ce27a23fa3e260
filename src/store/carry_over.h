// Copies what a folder has beside its content (owner, rights), and files from
// it.
#pragma once

#include <string>

namespace rechunk {

/// Gives a folder the owner, group, mode, ACL and other extended attributes of
/// another. If this process may not change something (the owner, labels), that
/// stays. Throws: io.
void carry_access(const std::string& from, const std::string& to);

/// Puts the file or link `root_from/key` at `root_to/key`, too: as a hard link
/// if the disk has them, else as a copy. Makes missing folders. An existing
/// file stays. Throws: io.
void carry_file(const std::string& root_from, const std::string& root_to,
                const std::string& key);

}  // namespace rechunk
