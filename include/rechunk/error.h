// The one exception type of rechunk.
//
// Every failure ends the run or one attempt at a task, so failures are
// exceptions. An absent key is not a failure: it is a std::optional.
// Messages read "action object: cause", for example
// "reading chunk 3.7 of /data/a.zarr/t: zstd: corrupted block".
// Messages and hints may name options: see wording.h.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "rechunk/wording.h"

namespace rechunk {

/// What went wrong, for callers that must decide. The message is for people.
enum class ErrorKind {
  kInvalidArgument,  ///< The request makes no sense or contradicts itself.
  kUnsupported,      ///< Valid, but rechunk cannot do it.
  kNotFound,         ///< The array, group or object does not exist.
  kCorrupt,          ///< Stored bytes cannot be decoded as they should.
  kIo,               ///< The store failed: disk full, permission, network.
  kBudgetExceeded,   ///< No plan fits; the message names the smallest budget.
  kCancelled,        ///< The caller asked to stop.
  kInternal,         ///< A bug in rechunk.
};

/// The name of a kind in lower case, such as "not_found".
std::string_view to_string(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  /// `hint` is an optional second sentence: what the user can do.
  Error(ErrorKind kind, const std::string& message, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  /// Like `what()` in plain words.
  const std::string& hint() const { return hint_; }
  /// The option that is wrong or missing: the first one that the message names,
  /// or else the hint. "" if neither names one.
  std::string option() const;

  /// True if the same call may succeed later (an interrupted transfer).
  bool retryable() const { return retryable_; }
  Error& set_retryable(bool retryable);

  /// The same error with "`context`: " before its message, unless the message
  /// already begins with it.
  Error with_context(std::string_view context) const;
  /// The same error with another hint.
  Error with_hint(std::string hint) const;
  /// The same error, with options and actions as its reader types them.
  Error spelled(const Speller& speller) const;

  /// Message and hint with marks, to make the same error of in another process.
  const std::string& marked_message() const { return marked_message_; }
  const std::string& marked_hint() const { return marked_hint_; }

 private:
  ErrorKind kind_;
  std::string marked_message_, marked_hint_;
  std::string hint_;
  bool retryable_ = false;
};

/// Calls `action()`. If it throws an Error, `describe()`, a string, is put
/// before the message. `describe` runs only on failure.
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
