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
    : std::runtime_error(rechunk::spelled(message)),
      kind_(kind),
      marked_message_(message),
      marked_hint_(std::move(hint)),
      hint_(rechunk::spelled(marked_hint_)) {}

std::string Error::option() const {
  std::string name = first_option(marked_message_);
  return name.empty() ? first_option(marked_hint_) : name;
}

Error& Error::set_retryable(bool retryable) {
  retryable_ = retryable;
  return *this;
}

Error Error::with_context(std::string_view context) const {
  // A reader of a file names it. Its caller may do so again.
  const std::string before = std::string(context) + ": ";
  if (marked_message_.starts_with(before)) return *this;
  return Error(kind_, before + marked_message_, marked_hint_)
      .set_retryable(retryable_);
}

Error Error::with_hint(std::string hint) const {
  return Error(kind_, marked_message_, std::move(hint))
      .set_retryable(retryable_);
}

Error Error::spelled(const Speller& speller) const {
  return Error(kind_, rechunk::spelled(marked_message_, speller),
               rechunk::spelled(marked_hint_, speller))
      .set_retryable(retryable_);
}

}  // namespace rechunk
