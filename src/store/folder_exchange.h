// Puts one folder in the place of another. A process may be killed at any
// moment; the next one finds out how far it was.
#pragma once

#include <cstdint>
#include <string>

namespace rechunk {

/// Three paths on one file system.
struct FolderExchange {
  std::string target;  ///< What readers open; nothing need be there.
  std::string fresh;   ///< Takes its place, and then holds the old folder.
  std::string aside;   ///< Holds it instead where disks cannot exchange.
};

/// Identities of the folders before, by which they are recognised in any place.
/// 0: none.
struct Inodes {
  std::uint64_t target = 0, fresh = 0;
  friend bool operator==(const Inodes&, const Inodes&) = default;
};

/// Throws: io.
Inodes inodes_of(const FolderExchange& folders);

/// True if the fresh folder is at the target. Throws: io.
bool is_exchanged(const FolderExchange& folders, const Inodes& before);

/// Exchanges the folders, or continues where another process was stopped. Does
/// nothing if that is done. If `can_exchange`, readers find the old folder or
/// the fresh one at any moment. May be repeated.
/// Throws: io; corrupt (neither of the two is at the target).
void exchange(const FolderExchange& folders, const Inodes& before);

/// If the old folder was moved aside and nothing is at the target, puts it
/// back. Throws: io.
void put_back(const FolderExchange& folders);

/// Tries an exchange with two empty folders in this folder, which is made and
/// removed. False if the file system needs two steps. Throws: io.
bool can_exchange(const std::string& folder);

/// Removes a folder and everything below it. Removes links, but not the files
/// to which they point. Does nothing if the folder does not exist. Throws: io.
void remove_tree(const std::string& path);

}  // namespace rechunk
