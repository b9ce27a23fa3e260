#include "base/at_once.h"

#include <future>

namespace rechunk {

void at_once(bool waits, const std::vector<std::function<void()>>& actions) {
  if (!waits) {
    for (const auto& action : actions) action();
    return;
  }
  std::vector<std::future<void>> others;
  for (std::size_t at = 1; at < actions.size(); ++at)
    others.push_back(std::async(std::launch::async, actions[at]));
  // If this throws, the futures wait for the other threads.
  if (!actions.empty()) actions.front()();
  for (std::future<void>& other : others) other.get();
}

}  // namespace rechunk
