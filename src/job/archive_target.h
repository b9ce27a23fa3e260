// Targets that are zip archives. The run builds the hierarchy as a tree beside
// the archive, as it does for a target that it replaces (replacement.h), and
// packs the tree at the end: no archive can be written in pieces.
//
//   .NAME.rechunk-new/NUMBER       the tree
//   .NAME.rechunk-new/NUMBER.zip   the archive, before it takes its name; only
//                                  on disks
#pragma once

#include <cstdint>

#include "job/planned_job.h"

namespace rechunk {

/// True for jobs that make an archive: their target's name says so.
bool packs(const PlannedJob& job);

/// Checks that the archive can be made, before anything is written. Throws:
/// invalid_argument (a folder or link has its name; files in the way).
void check_archive(const PlannedJob& job);

/// Removes trees of other runs. Throws: io (also if there is not enough room
/// for tree and archive).
void begin_archive(const PlannedJob& job);

/// Packs the tree, with its documents, and the files of the old archive that
/// are no Zarr. With `verify` the packed bytes are read again. In a bucket the
/// archive is then visible; on a disk readers see the old one, or none, until
/// `take_its_place`, and the result is the inode of the new one. May be
/// repeated: the tree stays. Throws: io, corrupt.
std::uint64_t pack_tree(const PlannedJob& job);

/// True if the file that has this inode is packed, or is at the target.
bool is_packed(const PlannedJob& job, std::uint64_t inode);
bool is_in_place(const PlannedJob& job, std::uint64_t inode);

/// Gives the packed archive its name, and the rights of the old one. Does
/// nothing in a bucket. Throws: io.
void take_its_place(const PlannedJob& job);

/// Removes the tree, and what a stopped process packed. Throws: io.
void erase_archive_tree(const PlannedJob& job);

}  // namespace rechunk
