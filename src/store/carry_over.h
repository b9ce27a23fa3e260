// Takes along what a folder is besides its content, and files out of it.
#pragma once

#include <string>

namespace rechunk {

/// Gives a folder the owner, group, mode, ACL and other extended attributes of
/// another. What only an administrator may give (the owner, labels) stays where
/// this process may not. Throws: io.
void carry_access(const std::string& from, const std::string& to);

/// The file or link `root_from/key` stands at `root_to/key` as well: the same
/// file where the disk has hard links, else a copy. Folders on the way are
/// made. What stands there already stays. Throws: io.
void carry_file(const std::string& root_from, const std::string& root_to,
                const std::string& key);

}  // namespace rechunk
