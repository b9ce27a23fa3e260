#include "base/arena_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

TEST(ArenaPool, KeepsWhatItLentUntilAnotherSizeNeedsTheRoom) {
  MemoryBudget budget(1000);
  ArenaPool pool(budget);
  const std::byte* first = nullptr;
  pool.lend(600, [&](Arena& arena) { first = arena.take(64).data(); });
  pool.lend(600, [&](Arena& arena) {
    EXPECT_EQ(arena.capacity(), 600);
    EXPECT_EQ(arena.take(64).data(), first) << "it was mapped anew";
  });
  EXPECT_FALSE(budget.try_acquire(600)) << "it was not kept";
  pool.lend(500, [](Arena& arena) { EXPECT_EQ(arena.capacity(), 500); });
  EXPECT_EQ(budget.peak(), 600);
  pool.drop_idle();
  EXPECT_TRUE(budget.try_acquire(1000));
}

TEST(ArenaPool, GivesBackWhatAnActionLeavesByAnError) {
  MemoryBudget budget(1000);
  ArenaPool pool(budget);
  EXPECT_THROW(pool.lend(1000,
                         [](Arena& arena) {
                           arena.take(128);
                           throw std::runtime_error("broken");
                         }),
               std::runtime_error);
  pool.lend(1000, [](Arena& arena) { EXPECT_EQ(arena.used(), 0); });
}

TEST(ArenaPool, RefusesMoreThanTheBudget) {
  MemoryBudget budget(1000);
  ArenaPool pool(budget);
  EXPECT_THROW(pool.lend(1001, [](Arena&) {}), Error);
}

TEST(ArenaPool, WaitsForOthersThatTakeFromTheBudget) {
  MemoryBudget budget(1000);
  ArenaPool pool(budget);
  std::atomic<bool> given_back{false};
  Arena other = budget.acquire(800);
  std::thread thread([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    given_back = true;
    other = Arena();
  });
  pool.lend(500, [&](Arena&) { EXPECT_TRUE(given_back); });
  thread.join();
}

// Sizes of which sometimes three fit, sometimes one: everybody's turn comes,
// and the budget holds.
TEST(ArenaPool, ServesThreadsThatWantDifferentSizes) {
  MemoryBudget budget(1000);
  ArenaPool pool(budget);
  std::atomic<std::int64_t> held{0};
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed)
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int turn = 0; turn < 500; ++turn) {
        constexpr std::int64_t kSizes[] = {0, 320, 700, 1000};
        pool.lend(kSizes[random() % 4], [&](Arena& arena) {
          EXPECT_LE(held += arena.capacity(), 1000);
          if (turn % 16 == 0) std::this_thread::yield();
          held -= arena.capacity();
          ++served;
        });
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 2000);
  EXPECT_LE(budget.peak(), 1000);
}

}  // namespace
}  // namespace rechunk
