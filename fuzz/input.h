// What targets have in common: taking inputs apart, and telling findings from
// regular errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "rechunk/error.h"
#include "rechunk/store.h"

namespace rechunk::fuzz {

/// A finding: what must hold does not. Not an `Error`, so that nobody takes it
/// for a regular one.
class Finding : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* what) {
  if (!holds) throw Finding(what);
}

/// True if `action` ends without an Error. A bug in rechunk is a finding.
template <class Action>
bool succeeds(Action&& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInternal) throw Finding(error.what());
    return false;
  }
}

/// Takes numbers off the front of an input; zeros once it is used up.
class Numbers {
 public:
  explicit Numbers(std::string_view input) : input_(input) {}

  std::uint32_t byte() {
    if (input_.empty()) return 0;
    const auto value = static_cast<unsigned char>(input_.front());
    input_.remove_prefix(1);
    return value;
  }
  std::uint32_t below(std::uint32_t limit) {
    const std::uint32_t high = byte();
    return (high << 8 | byte()) % limit;
  }
  std::string_view rest() const { return input_; }

 private:
  std::string_view input_;
};

/// Objects of a store as one text: each follows a line "=== KEY".
using Objects = std::map<std::string, std::string>;
Objects parse_objects(std::string_view input);

/// A store in memory with these objects, but for those whose keys no store
/// takes.
std::shared_ptr<Store> make_store(const Objects& objects);

std::span<const std::byte> as_bytes(std::string_view text);

}  // namespace rechunk::fuzz
