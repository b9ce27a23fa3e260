#include "input.h"

#include <algorithm>

namespace rechunk::fuzz {

Objects parse_objects(std::string_view input) {
  constexpr std::string_view kMark = "=== ";
  Objects objects;
  while (input.starts_with(kMark)) {
    const std::size_t line = std::min(input.find('\n'), input.size());
    const std::string key(input.substr(kMark.size(), line - kMark.size()));
    input.remove_prefix(std::min(line + 1, input.size()));
    const std::size_t next = input.find(std::string("\n") + kMark.data());
    objects[key] = input.substr(0, next);
    if (next == std::string_view::npos) break;
    input.remove_prefix(next + 1);
  }
  return objects;
}

namespace {

bool is_key(std::string_view key) {
  for (;;) {
    const std::size_t slash = std::min(key.find('/'), key.size());
    const std::string_view part = key.substr(0, slash);
    if (part.empty() || part == "." || part == ".." ||
        part.find('\0') != std::string_view::npos)
      return false;
    if (slash == key.size()) return true;
    key.remove_prefix(slash + 1);
  }
}

}  // namespace

std::shared_ptr<Store> make_store(const Objects& objects) {
  auto store = make_memory_store();
  for (const auto& [key, text] : objects)
    if (is_key(key)) write_text(*store, key, text);
  return store;
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace rechunk::fuzz
