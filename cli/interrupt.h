// Ctrl-C, as a request to stop.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

namespace rechunk::cli {

/// While it lives, the first SIGINT or SIGTERM requests a stop, and the second
/// ends the process at once with code 130. The main thread makes it before
/// other threads: they inherit its blocked signals, so only the watcher of this
/// class receives them.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void watch();

  sigset_t signals_, signals_before_;
  std::stop_source stop_;
  std::atomic<bool> done_ = false;
  std::thread watcher_;
};

}  // namespace rechunk::cli
