// Where the finished transfers of one batch arrive.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "http/pace.h"
#include "http/transfer.h"

namespace rechunk::http {

/// Any thread puts, one takes.
class Inbox {
 public:
  void put(Transfer& transfer);
  /// The next one; nullptr if none came until then.
  Transfer* take_until(std::optional<Clock::time_point> time);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Transfer*> finished_;
};

}  // namespace rechunk::http
