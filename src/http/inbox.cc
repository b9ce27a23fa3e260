#include "http/inbox.h"

namespace rechunk::http {

Transfer* Inbox::take_until(std::optional<Clock::time_point> time) {
  std::unique_lock lock(mutex_);
  const auto any = [&] { return !finished_.empty(); };
  if (!time) {
    changed_.wait(lock, any);
  } else if (!changed_.wait_until(lock, *time, any)) {
    return nullptr;
  }
  Transfer* const transfer = finished_.front();
  finished_.pop_front();
  return transfer;
}

void Inbox::put(Transfer& transfer) {
  // Under the lock: whoever waits may destroy the inbox as soon as it knows.
  const std::lock_guard lock(mutex_);
  finished_.push_back(&transfer);
  changed_.notify_one();
}

}  // namespace rechunk::http
