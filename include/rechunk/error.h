// The one exception type of rechunk.
//
// Every failure ends the run or one attempt at a task, so failures are
// exceptions; an absent key is not a failure and is a std::optional instead.
// Messages read "action object: cause", for example
// "reading chunk 3.7 of /data/a.zarr/t: zstd: corrupted block".
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace rechunk {

/// What went wrong, for callers that must decide; the message is for people.
enum class ErrorKind {
  kInvalidArgument,  ///< The request makes no sense or contradicts itself.
  kUnsupported,      ///< Valid, but beyond what rechunk can do.
  kNotFound,         ///< The array, group or object does not exist.
  kCorrupt,          ///< Stored bytes do not decode to what they promise.
  kIo,               ///< The store failed: disk full, permission, network.
  kBudgetExceeded,   ///< No plan fits; the message names the smallest budget.
  kCancelled,        ///< The caller asked to stop.
  kInternal,         ///< A bug in rechunk.
};

/// The name of a kind in lower case, such as "not_found".
std::string_view to_string(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  /// `hint` is an optional second sentence that says what to do about it.
  Error(ErrorKind kind, const std::string& message, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  const std::string& hint() const { return hint_; }

  /// True where the same call may succeed later (an interrupted transfer).
  bool retryable() const { return retryable_; }
  Error& set_retryable(bool retryable);

  /// The same error with "`context`: " put before its message, unless it
  /// begins so.
  Error with_context(std::string_view context) const;

 private:
  ErrorKind kind_;
  std::string hint_;
  bool retryable_ = false;
};

/// Calls `action()`; an Error that leaves it gets `describe()`, a string,
/// put before its message. `describe` runs only on failure.
template <class Action, class Describe>
auto with_context(Action&& action, Describe&& describe)
    -> std::invoke_result_t<Action> {
  try {
    return action();
  } catch (const Error& error) {
    throw error.with_context(describe());
  }
}

}  // namespace rechunk
