#include "cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

namespace rechunk::cli {

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  // Threads that start later block them, too. So only the watcher gets them.
  pthread_sigmask(SIG_BLOCK, &signals_, &signals_before_);
  watcher_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  done_ = true;
  // Wakes the watcher. The signal is for its thread, so nobody else sees it.
  pthread_kill(watcher_.native_handle(), SIGTERM);
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

void Interrupt::watch() {
  for (;;) {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (done_) return;
    // Whoever asks a second time does not want to wait.
    if (!stop_.request_stop()) _exit(130);
  }
}

}  // namespace rechunk::cli
