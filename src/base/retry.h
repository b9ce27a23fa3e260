// Repeats a call that failed with a retryable error. Repeating it must do no
// harm.
#pragma once

#include <chrono>
#include <thread>
#include <type_traits>

#include "rechunk/error.h"

namespace rechunk {

/// Calls `action()`, up to four times within some seconds. Any thread.
/// Throws: what `action` throws that is not retryable, or at last.
template <class Action>
auto retrying(Action&& action) -> std::invoke_result_t<Action> {
  constexpr int kPauses = 3;
  auto pause = std::chrono::milliseconds(10);
  for (int pauses = 0;; ++pauses) {
    try {
      return action();
    } catch (const Error& error) {
      if (!error.retryable() || pauses == kPauses) throw;
    }
    std::this_thread::sleep_for(pause);
    pause *= 10;
  }
}

}  // namespace rechunk
