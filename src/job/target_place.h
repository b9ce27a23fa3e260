// The target's place before, during and after a run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "job/planned_job.h"

namespace rechunk {

/// Throws: invalid_argument if something stands at the target that the options
/// do not allow to replace: an array or group, what an unfinished run left, or
/// data that is not Zarr's.
void check_target(const PlannedJob& job);

/// Erases what `check_target` let pass, and old temporary data.
/// Throws: io if there is not enough room for temporary data.
void make_room(const PlannedJob& job);

/// Where the job is to be durable: what was written so far will survive the
/// loss of power. Throws: io.
void make_durable(const PlannedJob& job);

/// Makes the target visible, durably where asked for; with `verify` looks
/// whether it is as it should be. `check_lock` throws if another process leads
/// the run by now; null: nobody leads it.
/// Throws: io, corrupt; then no metadata is left.
void commit_metadata(const PlannedJob& job,
                     const std::function<void()>& check_lock);

/// What readers open, which is not what the run writes where it replaces it.
std::shared_ptr<Store> visible_target(const PlannedJob& job);

/// True where the target cannot tell whether a run of this job has ended.
bool journal_tells_the_end(const PlannedJob& job);

/// True if the target holds nothing.
bool target_is_empty(const PlannedJob& job);

/// False where only the journal tells what lies at the target, and that it may
/// be removed: data without metadata.
bool target_explains_itself(const PlannedJob& job);

/// True if the target is what this job makes of it: the journal says so where
/// something like it may have been there before.
bool is_committed(const PlannedJob& job);

/// Removes what killed processes left of objects that they were writing at the
/// target or beside it. Only while nobody else is at work there.
void remove_leftovers(const PlannedJob& job);

/// Erases the temporary data of another run, which its plan file names.
void erase_temp_of(const std::string& plan_file);

/// Erases the temporary data (unless it is to be kept) and the journal, but not
/// its lock; if `target_too`, all that the run wrote. What fails is left: where
/// that is the target, the journal stays, too, since it tells whose data that
/// is.
void clean_up(const PlannedJob& job, bool target_too) noexcept;

/// Where temporary data or a journal are that ought to be gone. Throws: io.
std::vector<std::string> leftovers(const PlannedJob& job);

}  // namespace rechunk
