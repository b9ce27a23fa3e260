// Decides what runs next: the stages of each component in order, and components
// one after the other. If threads would wait, the next component begins early.
//
// A component goes through phases: copy stage 1, copy stage 2, release
// intermediate 1, copy stage 3, release intermediate 2, ... Tasks of a phase
// are independent. A phase begins when the phase before it is finished.
//
// A thread takes several small tasks at a time, of any arrays (coordinates of a
// group, for example). So it asks for work less often.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <vector>

#include "base/idle_threads.h"
#include "exec/done_tasks.h"
#include "plan/task_grid.h"
#include "rechunk/plan.h"

namespace rechunk {

/// Tasks to run or to release.
struct Work {
  TaskRange tasks;
  bool release = false;       ///< Erase what these tasks wrote.
  bool help = false;          ///< Nothing of its own: help others with theirs.
  void* component = nullptr;  ///< For `finished`.
};

/// What a thread takes at a time: one work, or several small ones that do not
/// depend on each other.
using Pack = std::vector<Work>;

/// All methods may be called from any thread.
class Schedule {
 public:
  /// With `keep_temp` there are no releases. Tasks that are `done` (may be
  /// null) are not given out. `plan` and `done` must outlive the schedule. If
  /// there is nothing else to do, `next` returns a work that helps in `idle`
  /// (may be null).
  Schedule(const Plan& plan, bool keep_temp, const DoneTasks* done = nullptr,
           const IdleThreads* idle = nullptr);

  /// The next work. Waits if all remaining work depends on work in progress.
  /// Empty when everything is done, or after `stop`.
  Pack next();

  /// Reports that work is done. Every pack of `next` must come back, except
  /// `help`.
  void finished(const Pack& pack);

  /// Wakes threads that wait in `next`: help is wanted.
  void wake();

  /// Lets `next` return nothing from now on.
  void stop();
  bool stopped() const { return stopped_; }

 private:
  struct Component {
    int array;
    std::int64_t index;
    std::size_t phase = 0;
    std::int64_t next = 0, stop = 0;  // Tasks of the phase not given out yet.
    int in_progress = 0;
  };
  struct Phase {
    int stage;
    bool release;
  };

  std::vector<Phase> phases_of(const StagedCopySpec& array) const;
  bool open_component();
  void enter_phase(Component& component);
  void pass_done(Component& component) const;
  bool is_small(const Work& work) const;
  std::optional<Work> take();
  void fill(Pack& pack);
  bool finish(const Work& work);

  const Plan& plan_;
  const bool keep_temp_;
  const DoneTasks* const done_;
  const IdleThreads* const idle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<TaskGrid>> grids_;  ///< By array and stage.
  std::list<Component> components_;           ///< In progress, oldest first.
  int next_array_ = 0;
  std::int64_t next_component_ = 0;
  int staged_in_progress_ = 0;
  std::int64_t tasks_left_ = 0;  ///< To copy, not given out yet.
  std::atomic<bool> stopped_ = false;
};

}  // namespace rechunk
