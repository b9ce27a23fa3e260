#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

template <class Action>
ErrorKind error_kind_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::kInternal;
}

TEST(Arena, HandsOutAlignedMemoryThatDoesNotOverlap) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::int64_t> sizes(0, 700);
    MemoryBudget budget(1 << 20);
    Arena arena = budget.acquire(1 << 20);
    std::vector<std::span<std::byte>> parts;
    for (int part = 0; part < 50; ++part) {
      parts.push_back(arena.take(sizes(random)));
      std::memset(parts.back().data(), part, parts.back().size());
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(parts.back().data()) %
                    MemoryBudget::kAlignment,
                0u);
    }
    for (int part = 0; part < 50; ++part)
      for (const std::byte value : parts[part])
        ASSERT_EQ(value, static_cast<std::byte>(part));
  }
}

TEST(Arena, RefusesMoreThanItReserved) {
  MemoryBudget budget(1000);
  Arena arena = budget.acquire(256);
  arena.take(129);  // Rounded up to 192.
  EXPECT_EQ(error_kind_of([&] { arena.take(65); }), ErrorKind::kInternal);
  EXPECT_EQ(error_kind_of([&] { arena.take(-1); }), ErrorKind::kInternal);
  EXPECT_EQ(arena.take(64).size(), 64u);
}

TEST(Arena, RefusesSizesNearTheLargestNumber) {
  MemoryBudget budget(1000);
  Arena arena = budget.acquire(256);
  EXPECT_EQ(error_kind_of([&] { arena.take(INT64_MAX - 100); }),
            ErrorKind::kInternal);
}

TEST(Arena, ScopesGiveBackWhatWasTakenInThem) {
  MemoryBudget budget(1000);
  Arena arena = budget.acquire(256);
  const std::byte* first = arena.take(64).data();
  for (int round = 0; round < 5; ++round) {
    const ArenaScope scope(arena);
    EXPECT_EQ(arena.take(192).data(), first + 64);
  }
  EXPECT_EQ(arena.used(), 64);
}

TEST(MemoryBudget, AlignsNoSizeBeyondTheLargestNumber) {
  EXPECT_EQ(MemoryBudget::aligned(65), 128);
  EXPECT_THROW(MemoryBudget::aligned(INT64_MAX - 3), Error);
}

TEST(MemoryBudget, CountsReservationsUntilTheyEnd) {
  MemoryBudget budget(1000);
  {
    Arena first = budget.acquire(600);
    Arena moved = std::move(first);
    EXPECT_EQ(moved.capacity(), 600);
    moved = budget.acquire(300);
    EXPECT_EQ(budget.peak(), 900);
  }
  const Arena all = budget.acquire(1000);  // Would wait for ever otherwise.
  EXPECT_EQ(budget.peak(), 1000);
}

TEST(MemoryBudget, RefusesWhatItCanNeverGive) {
  MemoryBudget budget(1000);
  EXPECT_EQ(error_kind_of([&] { budget.acquire(1001); }),
            ErrorKind::kBudgetExceeded);
  EXPECT_EQ(budget.acquire(0).capacity(), 0);
}

TEST(MemoryBudget, GivesBackWhatTheSystemRefused) {
  MemoryBudget budget(INT64_MAX);
  EXPECT_EQ(error_kind_of([&] { budget.acquire(INT64_MAX - 4096); }),
            ErrorKind::kIo);
  EXPECT_EQ(budget.acquire(100).capacity(), 100);
}

TEST(MemoryBudget, MakesThreadsWaitUntilTheirShareIsFree) {
  MemoryBudget budget(1000);
  std::atomic<std::int64_t> held{0}, most{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t seed = 0; seed < 8; ++seed)
      threads.emplace_back([&, seed] {
        std::mt19937_64 random(seed);
        std::uniform_int_distribution<std::int64_t> sizes(1, 1000);
        for (int round = 0; round < 200; ++round) {
          const Arena arena = budget.acquire(sizes(random));
          const std::int64_t now = held += arena.capacity();
          for (std::int64_t old = most; old < now;)
            if (most.compare_exchange_weak(old, now)) break;
          std::this_thread::yield();
          held -= arena.capacity();
        }
      });
  }
  EXPECT_LE(most, 1000);
  EXPECT_LE(budget.peak(), 1000);
  EXPECT_GE(budget.peak(), most);
}

}  // namespace
}  // namespace rechunk
