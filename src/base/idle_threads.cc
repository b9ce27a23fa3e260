#include "base/idle_threads.h"

namespace rechunk {

// This thread works alone until another one is idle. Then it posts the rest,
// and all of them take numbers from the post until none is left.
void IdleThreads::run(std::int64_t parts, const Part& part, Arena& arena) {
  std::int64_t number = 0;
  // As long as nobody is idle, nothing is shared and nothing is locked. The
  // last part leaves nothing to share.
  for (; number < parts && (!any() || number + 1 == parts); ++number) {
    const ArenaScope scope(arena);
    part(number, arena);
  }
  if (number == parts) return;
  std::list<Posted>::iterator posted;
  {
    const std::lock_guard lock(mutex_);
    posted = posted_.insert(
        posted_.end(), Posted{.part = part, .parts = parts, .next = number});
  }
  wake_();
  work_on(*posted, arena);
  std::unique_lock lock(mutex_);
  // Helpers may still be in parts, which use what the caller has.
  left_.wait(lock, [&] { return posted->helpers == 0; });
  const std::exception_ptr error = posted->error;
  posted_.erase(posted);
  if (error) std::rethrow_exception(error);
}

void IdleThreads::help(Arena& arena) {
  std::unique_lock lock(mutex_);
  for (Posted& posted : posted_) {
    if (!posted.open()) continue;
    // `posted` stays as long as it has helpers.
    ++posted.helpers;
    lock.unlock();
    work_on(posted, arena);
    lock.lock();
    --posted.helpers;
    left_.notify_all();
    return;  // The list may have changed.
  }
}

bool IdleThreads::wanted() const {
  const std::lock_guard lock(mutex_);
  for (const Posted& posted : posted_)
    if (posted.open()) return true;
  return false;
}

void IdleThreads::work_on(Posted& posted, Arena& arena) {
  for (;;) {
    std::int64_t number;
    {
      const std::lock_guard lock(mutex_);
      if (!posted.open()) return;
      number = posted.next++;
    }
    try {
      const ArenaScope scope(arena);
      posted.part(number, arena);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!posted.error) posted.error = std::current_exception();
    }
  }
}

void Turns::in_turn(std::int64_t number, const std::function<void()>& action) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return given_up_ || next_ == number; });
  if (given_up_) return;
  try {
    action();
  } catch (...) {
    given_up_ = true;
    changed_.notify_all();
    throw;
  }
  ++next_;
  changed_.notify_all();
}

void Turns::give_up() {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  changed_.notify_all();
}

}  // namespace rechunk
