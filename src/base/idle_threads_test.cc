#include "base/idle_threads.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

/// Threads that wait for something to help with, as those of a run do.
class Waiting {
 public:
  Waiting(IdleThreads& idle, MemoryBudget& budget, int count) : idle_(idle) {
    idle.on_post([] {});
    for (int i = 0; i < count; ++i) {
      idle.enter();
      threads_.emplace_back([&](std::stop_token stop) {
        Arena arena = budget.acquire(1 << 10);
        while (!stop.stop_requested()) {
          idle_.help(arena);
          std::this_thread::sleep_for(std::chrono::microseconds(10));
        }
      });
    }
  }

 private:
  IdleThreads& idle_;
  std::vector<std::jthread> threads_;
};

TEST(IdleThreads, DoEachPartOnce) {
  MemoryBudget budget(1 << 20);
  Arena arena = budget.acquire(1 << 10);
  IdleThreads idle;
  const Waiting waiting(idle, budget, 3);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  for (int parts = 0; parts < 50; ++parts) {
    std::vector<int> done(static_cast<std::size_t>(parts));
    idle.run(
        parts,
        [&](std::int64_t part, Arena& own) {
          own.take(1 << 9);  // Each thread has its own, and gives it back.
          std::this_thread::sleep_for(std::chrono::microseconds(100));
          const std::lock_guard lock(mutex);
          ++done[static_cast<std::size_t>(part)];
          threads.insert(std::this_thread::get_id());
        },
        arena);
    EXPECT_EQ(done, std::vector<int>(done.size(), 1));
  }
  EXPECT_GT(threads.size(), 1U);
  EXPECT_EQ(arena.used(), 0);
}

TEST(IdleThreads, HelpOnceTheyAreIdle) {
  MemoryBudget budget(1 << 20);
  Arena arena = budget.acquire(1 << 10);
  IdleThreads idle;
  std::optional<Waiting> waiting;
  std::mutex mutex;
  std::map<std::thread::id, int> parts;
  bool others_came = false;
  const auto part = [&](std::int64_t number, Arena&) {
    const auto self = std::this_thread::get_id();
    if (number == 10) waiting.emplace(idle, budget, 1);
    // From then on this one waits until another has begun a part.
    std::unique_lock lock(mutex);
    ++parts[self];
    others_came = parts.size() > 1;
    for (int i = 0; i < 10000 && number > 10 && !others_came; ++i) {
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      lock.lock();
    }
  };
  idle.run(40, part, arena);
  EXPECT_TRUE(others_came);
  int sum = 0;
  for (const auto& [thread, count] : parts) sum += count;
  EXPECT_EQ(sum, 40);
}

TEST(IdleThreads, PassOnWhatAPartThrows) {
  MemoryBudget budget(1 << 20);
  Arena arena = budget.acquire(1 << 10);
  IdleThreads idle;
  const Waiting waiting(idle, budget, 2);
  for (std::int64_t bad = 0; bad < 20; ++bad) {
    const auto part = [&](std::int64_t number, Arena&) {
      if (number == bad) throw Error(ErrorKind::kIo, "part");
    };
    EXPECT_THROW(idle.run(20, part, arena), Error);
    EXPECT_FALSE(idle.wanted());
  }
}

TEST(Turns, ComeInOrderWhoeverIsFirst) {
  MemoryBudget budget(1 << 20);
  Arena arena = budget.acquire(1 << 10);
  IdleThreads idle;
  const Waiting waiting(idle, budget, 3);
  for (int round = 0; round < 20; ++round) {
    Turns turns;
    std::vector<std::int64_t> order;
    idle.run(
        40,
        [&](std::int64_t part, Arena&) {
          std::this_thread::sleep_for(std::chrono::microseconds(part * 7 % 50));
          turns.in_turn(part, [&] { order.push_back(part); });
        },
        arena);
    for (std::size_t i = 0; i < order.size(); ++i)
      EXPECT_EQ(order[i], static_cast<std::int64_t>(i));
    EXPECT_EQ(order.size(), 40U);
  }
}

TEST(Turns, EndWhereOneDoesNotCome) {
  MemoryBudget budget(1 << 20);
  Arena arena = budget.acquire(1 << 10);
  IdleThreads idle;
  const Waiting waiting(idle, budget, 3);
  for (std::int64_t bad = 0; bad < 30; ++bad) {
    Turns turns;
    std::int64_t done = 0;
    const auto part = [&](std::int64_t number, Arena&) {
      if (number == bad && bad % 2 == 0) {
        turns.give_up();
        throw Error(ErrorKind::kIo, "before");
      }
      turns.in_turn(number, [&] {
        if (number == bad) throw Error(ErrorKind::kIo, "within");
        ++done;
      });
    };
    EXPECT_THROW(idle.run(30, part, arena), Error);
    EXPECT_LE(done, bad);
  }
}

}  // namespace
}  // namespace rechunk
