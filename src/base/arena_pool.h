// Arenas for tasks of several sizes. They are kept between tasks, because
// touching new pages costs more than copying, until another size needs their
// room.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "base/memory_budget.h"

namespace rechunk {

/// All methods may be called from any thread. While arenas are lent, nobody
/// else should take much of the budget for long, because tasks would wait.
class ArenaPool {
 public:
  /// `budget` must outlive the pool.
  explicit ArenaPool(MemoryBudget& budget) : budget_(budget) {}

  /// Waits for an arena of `bytes`, then calls `action(arena)`. The caller must
  /// not hold another arena of this pool.
  /// Throws: as MemoryBudget::acquire, and what `action` throws.
  template <class Action>
  void lend(std::int64_t bytes, Action&& action) {
    Loan loan{*this, take(bytes)};
    action(loan.arena);
  }

  /// Unmaps the arenas that nobody holds.
  void drop_idle();

 private:
  struct Loan {
    ArenaPool& pool;
    Arena arena;
    ~Loan() { pool.put_back(std::move(arena)); }
  };

  Arena take(std::int64_t bytes);
  void put_back(Arena arena);

  MemoryBudget& budget_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Arena> idle_;
  int lent_ = 0;
};

}  // namespace rechunk
