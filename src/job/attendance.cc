#include "job/attendance.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "journal/run_lock.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLookAfter = std::chrono::milliseconds(500);
// As long as others believe the last sign of life.
constexpr auto kLeaveAfter = std::chrono::seconds(20);

}  // namespace

struct Attendance::State {
  std::mutex mutex;  ///< Of what follows.
  std::condition_variable_any changed;
  std::string run;
  int batches = 0;  ///< That are running.
  bool must_look = false;
  bool sleeps = false;  ///< The thread, until a batch begins.
  Clock::time_point last_batch;
  LastBeat last_beat = 0;  ///< 0: none that counts.
  std::jthread thread;

  void watch(const std::stop_token& stop, Store& journal,
             const std::function<void()>& look) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      sleeps = batches == 0 && !must_look && last_beat == 0;
      if (sleeps)
        changed.wait(lock, stop, [&] { return batches > 0 || must_look; });
      else
        changed.wait_for(lock, stop, kLookAfter, [] { return false; });
      sleeps = false;
      if (stop.stop_requested()) return;
      const auto quiet = Clock::now() - last_batch;
      const bool beats = batches > 0;
      const bool looks =
          !beats && quiet >= kLookAfter && std::exchange(must_look, false);
      const bool leaves =
          !beats && quiet >= kLeaveAfter && last_beat.exchange(0) != 0;
      lock.unlock();
      if (beats) beat_if_due(journal, last_beat);
      if (looks) look();
      if (leaves) leave(journal);
      lock.lock();
    }
  }

  static void leave(Store& journal) noexcept {
    try {
      erase_beat(journal);
    } catch (const Error&) {
      // It grows old.
    }
  }
};

Attendance::Attendance(std::shared_ptr<Store> journal,
                       std::function<void()> look)
    : journal_(std::move(journal)),
      look_(std::move(look)),
      process_(::getpid()),
      state_(std::make_unique<State>()) {}

Attendance::~Attendance() {
  if (process_ != ::getpid()) {
    (void)state_.release();  // Its thread runs elsewhere, and cannot be joined.
    return;
  }
  if (!state_->thread.joinable()) return;
  state_->thread.request_stop();
  state_->thread.join();
  if (state_->must_look) look_();
  if (state_->last_beat != 0) State::leave(*journal_);
}

Attendance::Batch Attendance::begin_batch(const std::string& run) {
  if (process_ != ::getpid()) {
    (void)state_.release();
    state_ = std::make_unique<State>();
    process_ = ::getpid();
  }
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    if (!state.thread.joinable())
      state.thread = std::jthread([this, &state](std::stop_token stop) {
        state.watch(stop, *journal_, look_);
      });
    if (state.run != run) state.last_beat = 0;
    state.run = run;
    ++state.batches;
    if (state.sleeps) state.changed.notify_all();
  }
  beat_if_due(*journal_, state.last_beat);
  return Batch(*this);
}

void Attendance::end_batch() {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  --state.batches;
  state.must_look = true;
  state.last_batch = Clock::now();
}

}  // namespace rechunk
