#include "rechunk/error.h"

#include <utility>

namespace rechunk {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return "invalid_argument";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kBudgetExceeded:
      return "budget_exceeded";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInternal:
      return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, const std::string& message, std::string hint)
    : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

Error& Error::set_retryable(bool retryable) {
  retryable_ = retryable;
  return *this;
}

Error Error::with_context(std::string_view context) const {
  // Who reads a file says so, and so does who asked for it.
  if (std::string_view(what()).starts_with(std::string(context) + ": "))
    return *this;
  Error error(kind_, std::string(context) + ": " + what(), hint_);
  error.retryable_ = retryable_;
  return error;
}

}  // namespace rechunk
