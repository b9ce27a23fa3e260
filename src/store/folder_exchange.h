// Puts one folder in the place of another, so that a process that is killed at
// any moment leaves something from which the next one can tell how far it was.
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

/// What was there before, which tells folders apart wherever they are; 0: none.
struct Inodes {
  std::uint64_t target = 0, fresh = 0;
  friend bool operator==(const Inodes&, const Inodes&) = default;
};

/// Throws: io.
Inodes inodes_of(const FolderExchange& folders);

/// True if the fresh folder is at the target. Throws: io.
bool is_exchanged(const FolderExchange& folders, const Inodes& before);

/// Exchanges the folders, or goes on where another process was stopped; does
/// nothing where that is done. Readers find the old folder or the fresh one at
/// any moment, where `can_exchange`. May be repeated.
/// Throws: io; corrupt (neither of the two is at the target).
void exchange(const FolderExchange& folders, const Inodes& before);

/// Where the old folder stands aside and nothing is at the target: puts it
/// back. Throws: io.
void put_back(const FolderExchange& folders);

/// Tries it with two empty folders within this one, which is made for it and
/// removed. False where the file system needs two steps. Throws: io.
bool can_exchange(const std::string& folder);

/// Removes a folder and all below it; links, not what they lead to. Does
/// nothing where it is not. Throws: io.
void remove_tree(const std::string& path);

}  // namespace rechunk
