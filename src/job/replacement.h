// A target that is overwritten stays, readable, until the new one is complete:
// the run builds that in a tree of its own, which then takes its place.
//
//   .NAME.rechunk-new/NUMBER   the new tree; once it is at the target, the old
//   .NAME.rechunk-new/old      the old target for a moment, where the disk
//                              cannot exchange folders
#pragma once

#include <functional>
#include <string>

#include "job/planned_job.h"

namespace rechunk {

/// True for jobs whose target is written so: local ones that overwrite.
bool replaces(const PlannedJob& job);

/// Looks whether the new tree can take the target's place, before anything is
/// written. Throws: invalid_argument (a link, a mount point, a folder that
/// this user may not rename, files in the way), io.
void check_replacement(const PlannedJob& job);

/// Makes an empty tree for the new target, with the access rights of the old;
/// removes those of other runs. Throws: io (also where there is not enough room
/// for both).
void begin_replacement(const PlannedJob& job);

/// Where readers will find no target for a moment, and where the new one will
/// belong to somebody else. Throws: io.
void note_replacement(const PlannedJob& job, Notes& notes);

/// True if a run of this plan was stopped when its new tree was complete: what
/// is left is to put it in its place.
bool exchange_has_begun(const PlannedJob& job);

/// True if the new tree of this plan is at the target.
bool is_replaced(const PlannedJob& job);

/// Puts the new tree, which has its documents, in the target's place. Goes on
/// where another process was stopped; waits for one that is doing so, where
/// this one holds no lock. `check_lock` throws if the run is another process's
/// by now; null: nobody leads the run.
/// Throws: io, corrupt (see folder_exchange.h).
void replace_target(const PlannedJob& job,
                    const std::function<void()>& check_lock);

/// Where a run was stopped between two steps and nothing is at the target: the
/// old one is put back. Throws: io.
void put_old_target_back(const std::string& target);

/// Removes the tree of this plan: the new one, or the old target that it has
/// replaced. Throws: io.
void erase_replacement(const PlannedJob& job);

}  // namespace rechunk
