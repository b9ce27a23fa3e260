// Credentials that end: how they are kept, and got anew before that.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "rechunk/error.h"

namespace rechunk {

template <class Key>
struct Credentials {
  Key key;
  /// When they end; nothing if they do not.
  std::optional<std::chrono::system_clock::time_point> end;
};

/// Keeps credentials, and gets new ones before they end. Any thread.
template <class Key>
class KeptCredentials {
 public:
  using Find = std::function<Credentials<Key>()>;
  /// `find` throws: invalid_argument (there are none, or they are wrong), io.
  explicit KeptCredentials(Find find) : find_(std::move(find)) {}

  /// Throws: as `find`.
  Key current() {
    constexpr std::chrono::minutes kAhead{5};
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::system_clock::now();
    const bool ends = kept_ && kept_->end && *kept_->end - kAhead < now;
    if (!kept_ || ends) {
      try {
        kept_ = find_();
      } catch (const Error&) {
        // They may serve for some minutes more, and the next request tries
        // again.
        if (!ends || *kept_->end < now) throw;
      }
    }
    return kept_->key;
  }

  /// Called if a server says that the key has ended. True if there is another
  /// one now, because of this call or of one just before. Throws: as `find`.
  bool renew() {
    constexpr std::chrono::seconds kJustNow{10};
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    // Other requests were signed with the same key, and are refused, too.
    if (renewal_ && now - renewal_->time < kJustNow) return renewal_->is_other;
    const std::optional<Credentials<Key>> refused = kept_;
    kept_ = find_();
    const bool is_other = !refused || !(kept_->key == refused->key);
    renewal_ = {now, is_other};
    return is_other;
  }

 private:
  struct Renewal {
    std::chrono::steady_clock::time_point time;
    bool is_other;  ///< It gave another key.
  };

  const Find find_;
  std::mutex mutex_;
  std::optional<Credentials<Key>> kept_;
  std::optional<Renewal> renewal_;  ///< The last one.
};

}  // namespace rechunk
