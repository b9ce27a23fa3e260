// Options of places (`StorageOptions`), read by tables: each has our name and
// those that other libraries have for it.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

struct StorageOption {
  /// The first is ours; the others mean the same.
  std::array<std::string_view, 4> names;
  bool is_secret = false;
};

/// True if it is one of the option's names.
bool is_called(const StorageOption& option, std::string_view name);

/// The value of an option; nothing if it was not given. Throws:
/// invalid_argument (two names of it with different values).
std::optional<std::string> value_of(const StorageOptions& options,
                                    const StorageOption& option);

/// "true", "yes", "1" or "false", "no", "0", in any case, as Python writes
/// them. Throws: invalid_argument.
std::optional<bool> switch_of(const StorageOptions& options,
                              const StorageOption& option);

/// The same of an environment variable. Throws: invalid_argument, which names
/// the option.
std::optional<bool> environment_switch(const char* name,
                                       const StorageOption& option);

/// A number of requests at a time. Throws: invalid_argument.
std::optional<int> requests_of(const StorageOptions& options,
                               const StorageOption& option,
                               const std::string& place);

/// Throws: invalid_argument, with the known names, if there are other options.
void check_names(const StorageOptions& options,
                 std::span<const StorageOption> known, std::string_view place);

/// An environment variable; nothing if it is not set, or "".
std::optional<std::string> environment(const char* name);

}  // namespace rechunk
