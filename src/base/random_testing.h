// Random numbers and bytes. Only tests include this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace rechunk {

using Random = std::mt19937_64;
using Bytes = std::vector<std::byte>;

inline std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

inline Bytes random_bytes(Random& random, std::int64_t count) {
  Bytes bytes(static_cast<std::size_t>(count));
  for (std::byte& value : bytes) value = static_cast<std::byte>(random());
  return bytes;
}

}  // namespace rechunk
