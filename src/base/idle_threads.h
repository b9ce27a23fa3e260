// Lets idle threads take over parts of other threads' tasks: if there are fewer
// tasks than threads, or at the end of a stage.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <mutex>

#include "base/memory_budget.h"

namespace rechunk {

/// All methods may be called from any thread.
class IdleThreads {
 public:
  /// Must not depend on parts with higher numbers.
  using Part = std::function<void(std::int64_t part, Arena& arena)>;

  /// `wake` is called when there is something to help with.
  void on_post(std::function<void()> wake) { wake_ = std::move(wake); }

  /// Calls `part` once for each number below `parts`, beginning in rising
  /// order. This thread calls it with `arena`; idle threads join with their own
  /// arenas. Returns when all parts are done. Throws: the first error of a
  /// part; parts that have not begun are skipped.
  void run(std::int64_t parts, const Part& part, Arena& arena);

  /// Does parts that another thread posted, until none is left.
  void help(Arena& arena);
  bool wanted() const;  ///< True if `help` has something to do.
  bool any() const { return count_ > 0; }

  /// Threads count as idle from `enter` to `leave`, also while they help.
  void enter(int threads = 1) { count_ += threads; }
  void leave() { --count_; }

 private:
  struct Posted {
    const Part& part;
    const std::int64_t parts;
    std::int64_t next = 0;
    int helpers = 0;
    std::exception_ptr error;
    bool open() const { return next < parts && !error; }
  };
  void work_on(Posted& posted, Arena& arena);

  std::atomic<int> count_{0};
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::list<Posted> posted_;
};

/// Lets parts that run side by side do something in order.
class Turns {
 public:
  /// Calls `action` when the actions of all lower numbers have returned. Does
  /// nothing if one of them failed. Throws: what `action` throws.
  void in_turn(std::int64_t number, const std::function<void()>& action);
  /// `number` has failed. Actions that wait for it do not run.
  void give_up();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t next_ = 0;
  bool given_up_ = false;
};

}  // namespace rechunk
