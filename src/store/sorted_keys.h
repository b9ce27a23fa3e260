// Looking for keys in a table in which they are sorted by their bytes. A table
// has `size()` and `key(index)`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "rechunk/store.h"

namespace rechunk {

/// The first row whose key is not less.
template <class Table>
std::size_t first_from(const Table& table, std::string_view key) {
  std::size_t begin = 0, count = table.size();
  while (count > 0) {
    const std::size_t half = count / 2;
    const bool is_less = table.key(begin + half) < key;
    if (is_less) begin += half + 1;
    count = is_less ? count - half - 1 : half;
  }
  return begin;
}

template <class Table>
std::optional<std::size_t> find_key(const Table& table, std::string_view key) {
  const std::size_t index = first_from(table, key);
  if (index == table.size() || table.key(index) != key) return std::nullopt;
  return index;
}

/// True if a key lies below the root, which is there itself.
template <class Table>
bool has_below(const Table& table, const std::string& root) {
  if (root.empty()) return true;
  const std::size_t at = first_from(table, root + "/");
  return at < table.size() && table.key(at).starts_with(root + "/");
}

/// `Store::scan` for a store whose root is the key `root` of the table.
/// `bytes_of(index)` is the size of an object.
template <class Table, class BytesOf>
void scan_keys(const Table& table, const std::string& root,
               std::string_view prefix, BytesOf&& bytes_of,
               const VisitListed& visit) {
  const std::string whole = join_key(root, prefix);
  const std::size_t skipped = root.empty() ? 0 : root.size() + 1;
  const auto give = [&](std::size_t at) {
    return visit(table.key(at).substr(skipped), bytes_of(at));
  };
  const auto itself = find_key(table, whole);
  if (itself && !prefix.empty() && !give(*itself)) return;
  const std::string start = whole.empty() ? "" : whole + "/";
  for (std::size_t at = first_from(table, start);
       at < table.size() && table.key(at).starts_with(start); ++at)
    if (!give(at)) return;
}

}  // namespace rechunk
