// The target's place before, during and after a run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "job/planned_job.h"

namespace rechunk {

/// Throws: invalid_argument if something is at the target that the options do
/// not allow to replace: an array or group, data of an unfinished run, or data
/// that is not Zarr.
void check_target(const PlannedJob& job);

/// Erases the data that `check_target` allowed, and old temporary data.
/// Throws: io if there is not enough room for temporary data.
void make_room(const PlannedJob& job);

/// If the job is durable: syncs everything written so far, so that it survives
/// a power failure. Throws: io.
void make_durable(const PlannedJob& job);

/// Makes the target visible, durably if asked for. With `verify` checks the
/// documents that it wrote. `check_lock` throws if another process has taken
/// the run over; null: a team runs it that nobody leads.
/// Throws: io, corrupt; then no metadata is left, but a team's: another process
/// of it may be writing the same.
void commit_metadata(const PlannedJob& job,
                     const std::function<void()>& check_lock);

/// The store that readers open. If the run replaces the target, it writes to
/// another.
std::shared_ptr<Store> visible_target(const PlannedJob& job);

/// True if the target itself does not show whether a run of this job has ended.
bool journal_tells_the_end(const PlannedJob& job);

/// False if only the journal shows that the data at the target may be removed:
/// data without metadata.
bool target_explains_itself(const PlannedJob& job);

/// True if the target is this job's result. If the same target may have existed
/// before, the journal decides.
bool is_committed(const PlannedJob& job);

/// Removes half-written objects of killed processes at the target and beside
/// it.
void remove_leftovers(const PlannedJob& job,
                      Writers writers = Writers::kNobody);

/// Erases the temporary data of another run. Its plan file names the place.
void erase_temp_of(const std::string& plan_file, const StorageOptions& storage);

/// Erases the temporary data (unless it is kept) and the journal, but not its
/// lock. With `target_too`, erases everything that the run wrote. Data that
/// cannot be erased stays. If data of the target stays, the journal stays, too,
/// because it shows whose data that is.
void clean_up(const PlannedJob& job, bool target_too) noexcept;

/// Places that still have temporary data or a journal that should be gone.
/// Throws: io.
std::vector<std::string> leftovers(const PlannedJob& job);

}  // namespace rechunk
