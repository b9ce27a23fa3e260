// Who works on a target. There is one run at a time.
//
// The journal's store has objects "owner/N"; the largest N counts. A process
// takes a run over by creating the next number; only one process succeeds.
// Every process that works for the run writes "beat/PROCESS" again and again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "journal/process.h"
#include "rechunk/store.h"

namespace rechunk {

struct Owner {
  Process process;
  std::string plan_hash;
  /// True: a run without a leader. Any process with the same plan may join. The
  /// run lives while one of them works.
  bool team = false;
  std::int64_t since = 0;  ///< Seconds since 1970.
};

/// The owner of a run, dead or alive.
std::optional<Owner> owner_of(const Store& journal);

/// Whether that owner, or any process of its team, is still at work. If this is
/// not known at once, waits for a sign of life for at most `patience` seconds.
/// Without patience the time of the last beat decides.
bool is_at_work(const Store& journal, const Owner& owner, double patience);

/// False if every process that worked for the run has ended well: none was
/// killed.
bool has_beats(const Store& journal);

/// "process 42 of ana on node7, since 2026-05-01 12:00:00".
std::string describe(const Owner& owner);

/// The time of a process's last beat.
using LastBeat = std::atomic<double>;

/// While it lives, a thread writes beats: this process works for the run.
/// Several heartbeats may share the time of the last beat.
class Heartbeat {
 public:
  Heartbeat(std::shared_ptr<Store> journal, LastBeat& last);

 private:
  std::jthread thread_;
};

/// Writes this process's beat, if the last one is some seconds old.
void beat_if_due(Store& journal, LastBeat& last);

/// Removes this process's beat: it no longer works for the run.
void erase_beat(Store& journal);

/// False if a process that worked for the run may have been killed: it may have
/// left files behind. What cannot be known counts as a death.
bool nobody_died(const Store& journal);

/// Held by the process that leads a run, while it lives.
class RunLock {
 public:
  /// Of locks, the newest last.
  using Numbers = std::vector<std::int64_t>;

  /// Returns the locks of those who are not at work any more.
  /// Throws: invalid_argument (names who is at work).
  static Numbers refuse_if_busy(const Store& journal);

  /// `seen`: what `refuse_if_busy` returned, so that nobody looks twice.
  /// Throws: invalid_argument (names who is at work), io.
  static RunLock lead(std::shared_ptr<Store> journal,
                      const std::string& plan_hash,
                      std::optional<Numbers> seen = {});

  /// For a run without a leader. Nothing if another process is at work there.
  static std::optional<RunLock> prepare(std::shared_ptr<Store> journal,
                                        const std::string& plan_hash);

  RunLock(RunLock&&) = default;
  RunLock& operator=(RunLock&&) = delete;
  /// Gives a leader's lock back; a team's stays.
  ~RunLock();

  /// Throws: io if another process has taken the run over. This process must
  /// stop then.
  void check() const;

  /// Removes the lock, as `erase` does. The lock is used no more.
  void end();

  /// Removes the lock, whoever wrote it: when the run is over.
  static void erase(Store& journal);

 private:
  static std::optional<RunLock> take(const std::shared_ptr<Store>& journal,
                                     const std::string& plan_hash, bool team,
                                     std::optional<Numbers> seen);
  RunLock(std::shared_ptr<Store> journal, std::int64_t number, std::string text,
          bool team);
  bool is_mine() const;

  std::shared_ptr<Store> journal_;  ///< Null: moved from.
  std::int64_t number_;
  std::string text_;  ///< Of the lock: numbers are used again.
  bool team_;
  std::unique_ptr<LastBeat> last_beat_;
  std::unique_ptr<Heartbeat> heartbeat_;  ///< Of leaders.
};

}  // namespace rechunk
