// A target that is overwritten stays readable until the new one is complete.
// The run builds the new one in its own tree, which then takes the target's
// place.
//
//   .NAME.rechunk-new/NUMBER   the new tree; once it is at the target, the old
//   .NAME.rechunk-new/old      the old target for a moment, where the disk
//                              cannot exchange folders
#pragma once

#include <functional>
#include <string>

#include "job/planned_job.h"

namespace rechunk {

/// True for jobs that write their target in this way: local ones that
/// overwrite, and those that make an archive (archive_target.h).
bool replaces(const PlannedJob& job);

/// Checks that the new tree can take the target's place, before anything is
/// written. Throws: invalid_argument (a link, a mount point, a folder that this
/// user may not rename, files in the way), io.
void check_replacement(const PlannedJob& job);

/// Makes an empty tree for the new target, with the access rights of the old
/// target. Removes trees of other runs. Throws: io (also if there is not enough
/// room for both).
void begin_replacement(const PlannedJob& job);

/// Notes it if readers will find no target for a moment, and if the new target
/// will have another owner. Throws: io.
void note_replacement(const PlannedJob& job, Notes& notes);

/// True if a run of this plan was stopped after its new tree was complete. Only
/// the exchange is left to do.
bool exchange_has_begun(const PlannedJob& job);

/// True if the new tree of this plan is at the target.
bool is_replaced(const PlannedJob& job);

/// Puts the new tree, with its documents, in the target's place, or packs it
/// into an archive. Continues
/// where another process was stopped. If this process holds no lock and another
/// one is at work, waits for it. `check_lock` throws if another process has
/// taken the run over; null: nobody leads the run.
/// Throws: io, corrupt (see folder_exchange.h).
void replace_target(const PlannedJob& job,
                    const std::function<void()>& check_lock);

/// If a run was stopped between two steps and nothing is at the target, puts
/// the old target back. Throws: io.
void put_old_target_back(const std::string& target);

/// Removes the tree of this plan: the new one, or the old target that it has
/// replaced. Throws: io.
void erase_replacement(const PlannedJob& job);

}  // namespace rechunk
