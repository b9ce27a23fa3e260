// The index of a shard: no entry may lead out of its shard.
#include <numeric>
#include <vector>

#include "input.h"
#include "targets.h"
#include "zarr/chunks/shard_index.h"

namespace rechunk::fuzz {
namespace {

ShardLevel make_level(Numbers& numbers) {
  ShardLevel level;
  const std::uint32_t flags = numbers.byte();
  level.index_at_start = flags & 1;
  level.index_big_endian = flags & 2;
  level.index_has_crc32c = flags & 4;
  const std::uint32_t rank = flags >> 3 & 3;
  level.chunk_counts.resize(rank);
  level.axis_order.resize(rank);
  for (auto& count : level.chunk_counts) count = 1 + numbers.byte() % 5;
  std::iota(level.axis_order.begin(), level.axis_order.end(), 0);
  if (flags & 32)
    std::reverse(level.axis_order.begin(), level.axis_order.end());
  level.chunk_shape = Shape(rank, 1);
  level.index_bytes =
      element_count(level.chunk_counts) * 16 + (level.index_has_crc32c ? 4 : 0);
  return level;
}

void check_entries(const ShardIndex& index, const ShardLevel& level,
                   std::int64_t shard_bytes) {
  for_each_point(whole(level.chunk_counts), [&](const Shape& coordinates) {
    const std::int64_t position = index.position(coordinates);
    require(position >= 0 && position < element_count(level.chunk_counts),
            "a position outside the index");
    succeeds([&] {
      const auto entry = index.entry(position, shard_bytes);
      if (!entry) return;
      require(entry->offset >= 0 && entry->bytes >= 0 &&
                  entry->offset <= shard_bytes &&
                  entry->bytes <= shard_bytes - entry->offset,
              "an entry leads out of its shard");
    });
  });
}

}  // namespace

void fuzz_shard_index(std::string_view input) {
  Numbers numbers(input);
  const ShardLevel level = make_level(numbers);
  const std::int64_t shard_bytes = numbers.below(1 << 16);
  // A buffer of its own, so that a sanitizer sees its ends.
  const auto given = as_bytes(numbers.rest());
  std::vector<std::byte> encoded(static_cast<std::size_t>(level.index_bytes));
  std::copy_n(given.begin(), std::min(given.size(), encoded.size()),
              encoded.begin());
  ShardIndex index(level, encoded);
  succeeds([&] { index.check(); });
  check_entries(index, level, shard_bytes);
  index.seal();
  require(succeeds([&] { index.check(); }), "a sealed index is refused");
  index.clear();
  index.set(0, {7, 9});
  require(index.entry(0, 16).has_value(), "an entry is lost");
}

}  // namespace rechunk::fuzz
