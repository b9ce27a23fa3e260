#include "store/storage_options.h"

#include <algorithm>
#include <cstdlib>

#include "http/transfer.h"
#include "rechunk/error.h"

namespace rechunk {

bool is_called(const StorageOption& option, std::string_view name) {
  return !name.empty() && std::find(option.names.begin(), option.names.end(),
                                    name) != option.names.end();
}

std::optional<std::string> value_of(const StorageOptions& options,
                                    const StorageOption& option) {
  std::optional<std::string> value;
  for (const std::string_view name : option.names) {
    const auto found = options.find(std::string(name));
    if (name.empty() || found == options.end()) continue;
    if (value && *value != found->second)
      throw Error(ErrorKind::kInvalidArgument,
                  "storage options: " + std::string(option.names[0]) +
                      " is given twice, with different values");
    value = found->second;
  }
  return value;
}

std::optional<bool> switch_of(const StorageOptions& options,
                              const StorageOption& option) {
  std::optional<std::string> text = value_of(options, option);
  if (!text) return std::nullopt;
  for (char& c : *text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  if (text == "true" || text == "yes" || text == "1" || text == "requester")
    return true;
  if (text == "false" || text == "no" || text == "0") return false;
  throw Error(ErrorKind::kInvalidArgument,
              "storage options: " + std::string(option.names[0]) +
                  " is neither true nor false");
}

std::optional<bool> environment_switch(const char* name,
                                       const StorageOption& option) {
  const auto value = environment(name);
  if (!value) return std::nullopt;
  return switch_of({{std::string(option.names[0]), *value}}, option);
}

std::optional<int> requests_of(const StorageOptions& options,
                               const StorageOption& option,
                               const std::string& place) {
  constexpr std::int64_t kMost = 1024;
  const auto text = value_of(options, option);
  if (!text) return std::nullopt;
  const auto count = http::parse_count(*text);
  if (!count || *count < 1 || *count > kMost)
    throw Error(ErrorKind::kInvalidArgument,
                "opening " + place + ": " + std::string(option.names[0]) +
                    " is not a number from 1 to 1024");
  return static_cast<int>(*count);
}

void check_names(const StorageOptions& options,
                 std::span<const StorageOption> known, std::string_view place) {
  for (const auto& [name, value] : options) {
    const bool is_known = std::any_of(known.begin(), known.end(),
                                      [&, &key = name](const auto& option) {
                                        return is_called(option, key);
                                      });
    if (is_known) continue;
    std::string names;
    for (const StorageOption& option : known)
      names += (names.empty() ? "" : ", ") + std::string(option.names[0]);
    throw Error(ErrorKind::kInvalidArgument,
                "opening " + std::string(place) +
                    ": it has no storage option called " + name,
                "it has " + names);
  }
}

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace rechunk
