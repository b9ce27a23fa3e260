#include "base/arena_pool.h"

#include <algorithm>
#include <optional>

namespace rechunk {

// In this order: an idle arena of this size, free room of the budget, the room
// of idle arenas of other sizes. If there is none of these, waits for an arena
// that comes back.
Arena ArenaPool::take(std::int64_t bytes) {
  std::unique_lock lock(mutex_);
  for (;;) {
    // A larger one would keep room from other tasks.
    const auto fitting = std::find_if(
        idle_.rbegin(), idle_.rend(),
        [&](const Arena& arena) { return arena.capacity() == bytes; });
    if (fitting != idle_.rend()) {
      Arena arena = std::move(*fitting);
      idle_.erase(std::next(fitting).base());
      ++lent_;
      return arena;
    }
    // If this pool has lent nothing, nothing comes back to it. Then others hold
    // the budget, and this waits for them.
    std::optional<Arena> arena = budget_.try_acquire(bytes);
    if (!arena && lent_ == 0 && idle_.empty()) arena = budget_.acquire(bytes);
    if (arena) {
      ++lent_;
      return std::move(*arena);
    }
    // Idle arenas of other sizes make room.
    if (idle_.empty())
      returned_.wait(lock);
    else
      idle_.pop_back();
  }
}

void ArenaPool::put_back(Arena arena) {
  arena.release_to(0);
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    idle_.push_back(std::move(arena));
  }
  // All, because they may wait for different sizes.
  returned_.notify_all();
}

void ArenaPool::drop_idle() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace rechunk
