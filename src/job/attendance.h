// What a process of a run does beside its batches: it shows signs of life, and
// it looks behind late tasks.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "rechunk/store.h"

namespace rechunk {

/// One thread per process, from its first batch on. All methods may be called
/// by any thread. In a process that was forked it begins anew: threads do not
/// live there.
class Attendance {
 public:
  /// `look` is called when no batch has run for half a second, and at the end:
  /// once after one or more batches. It must not throw.
  Attendance(std::shared_ptr<Store> journal, std::function<void()> look);
  /// Takes the sign of life back.
  ~Attendance();
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  /// While it lives, a batch is running.
  class Batch {
   public:
    explicit Batch(Attendance& attendance) : attendance_(attendance) {}
    ~Batch() { attendance_.end_batch(); }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

   private:
    Attendance& attendance_;
  };

  /// Before anything is written that may be left behind. `run`: a process
  /// shows itself at once to a run that does not know it.
  Batch begin_batch(const std::string& run);

 private:
  struct State;

  void end_batch();

  const std::shared_ptr<Store> journal_;
  const std::function<void()> look_;
  pid_t process_;
  std::unique_ptr<State> state_;
};

}  // namespace rechunk
