// The bytes of payload that one process may hold, and the arenas that tasks
// take them in.
//
// Every payload buffer (decoded region, encoded object, codec scratch) comes
// from an Arena, and every Arena from a MemoryBudget, so that the limit is
// structural. A task takes its whole need in one Arena: tasks never wait for
// each other while holding memory, and so cannot deadlock.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "rechunk/shape.h"

namespace rechunk {

class MemoryBudget;

/// One reservation of a budget, with the memory itself, which is handed out
/// front to back. AddressSanitizer reports the use of memory that was not
/// handed out. Pages count for the process when they are touched. They are kept
/// between tasks, because touching new ones costs more than copying. Used by
/// one thread at a time. Move-only; returns its bytes when destroyed.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;
  ~Arena();

  /// The next `bytes` bytes, aligned to 64, with undefined contents.
  /// Throws: internal if the reservation is used up (a bug of the planner).
  std::span<std::byte> take(std::int64_t bytes);

  /// A mark for `release_to`: what has been taken so far.
  std::int64_t used() const { return used_; }
  /// Takes back all that was handed out since `used()` returned `mark`.
  void release_to(std::int64_t mark);

  std::int64_t capacity() const { return capacity_; }

 private:
  friend class MemoryBudget;
  Arena(MemoryBudget* budget, std::int64_t capacity);
  void free();

  MemoryBudget* budget_ = nullptr;
  std::byte* memory_ = nullptr;
  std::int64_t capacity_ = 0;
  std::int64_t used_ = 0;
};

/// At the end of a scope, gives back everything that was taken from the arena
/// in it.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.used()) {}
  ~ArenaScope() { arena_.release_to(mark_); }
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena& arena_;
  std::int64_t mark_;
};

/// All methods may be called from any thread. Must outlive its arenas.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::int64_t limit_bytes);

  /// Waits until `bytes` are free, then reserves and maps them.
  /// Throws: budget_exceeded if `bytes` is more than the limit, io if the
  /// system refuses the memory.
  Arena acquire(std::int64_t bytes);
  /// Like `acquire`, but returns nothing if it would have to wait.
  std::optional<Arena> try_acquire(std::int64_t bytes);

  std::int64_t limit() const { return limit_; }
  std::int64_t peak() const;  ///< Most bytes reserved at one time so far.

  /// What `take` adds to round a buffer up to its alignment, at most.
  static constexpr std::int64_t kAlignment = 64;
  static std::int64_t aligned(std::int64_t bytes) {
    return checked_add(bytes, kAlignment - 1) / kAlignment * kAlignment;
  }

 private:
  friend class Arena;
  void check(std::int64_t bytes) const;
  void reserve(std::int64_t bytes);
  Arena map(std::int64_t bytes);
  void give_back(std::int64_t bytes);

  const std::int64_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::int64_t reserved_ = 0;
  std::int64_t peak_ = 0;
};

}  // namespace rechunk
