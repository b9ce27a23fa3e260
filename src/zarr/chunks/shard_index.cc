#include "zarr/chunks/shard_index.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "codec/crc32c.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
constexpr std::int64_t kEntryBytes = 16;
constexpr std::int64_t kChecksumBytes = 4;

std::uint64_t load(const std::byte* at, bool big_endian) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  const bool native_big = std::endian::native == std::endian::big;
  return big_endian == native_big ? value : __builtin_bswap64(value);
}

void store(std::byte* at, std::uint64_t value, bool big_endian) {
  const bool native_big = std::endian::native == std::endian::big;
  if (big_endian != native_big) value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace

void ShardIndex::check() const {
  if (!level_.index_has_crc32c) return;
  const auto entries = encoded_.first(encoded_.size() - kChecksumBytes);
  std::uint32_t stored = 0;
  for (int byte = 3; byte >= 0; --byte)
    stored = stored << 8 |
             std::to_integer<std::uint32_t>(encoded_[entries.size() + byte]);
  const std::uint32_t computed = crc32c(entries);
  if (stored != computed)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("shard index: crc32c mismatch (stored {:08x}, "
                            "computed {:08x})",
                            stored, computed));
}

std::int64_t ShardIndex::position(const Shape& coordinates) const {
  std::int64_t position = 0;
  for (int axis : level_.axis_order)
    position = position * level_.chunk_counts[axis] + coordinates[axis];
  return position;
}

std::optional<ShardIndex::Entry> ShardIndex::entry(
    std::int64_t position, std::int64_t shard_bytes) const {
  const std::byte* at = encoded_.data() + position * kEntryBytes;
  const std::uint64_t offset = load(at, level_.index_big_endian);
  const std::uint64_t bytes = load(at + 8, level_.index_big_endian);
  if (offset == kEmpty && bytes == kEmpty) return std::nullopt;
  const auto limit = static_cast<std::uint64_t>(shard_bytes);
  // Both numbers come from a file. In this form nothing overflows.
  if (offset > limit || bytes > limit - offset)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("shard index: inner chunk {} lies at {} + {} of a "
                            "shard of {} bytes",
                            position, offset, bytes, shard_bytes));
  return Entry{static_cast<std::int64_t>(offset),
               static_cast<std::int64_t>(bytes)};
}

void ShardIndex::clear() {
  // By the specification, all ones mean that a chunk is missing.
  std::memset(encoded_.data(), 0xff, encoded_.size());
}

void ShardIndex::set(std::int64_t position, Entry entry) {
  std::byte* at = encoded_.data() + position * kEntryBytes;
  store(at, static_cast<std::uint64_t>(entry.offset), level_.index_big_endian);
  store(at + 8, static_cast<std::uint64_t>(entry.bytes),
        level_.index_big_endian);
}

void ShardIndex::seal() {
  if (!level_.index_has_crc32c) return;
  const auto entries = encoded_.first(encoded_.size() - kChecksumBytes);
  std::uint32_t checksum = crc32c(entries);
  for (std::size_t byte = 0; byte < 4; ++byte, checksum >>= 8)
    encoded_[entries.size() + byte] = static_cast<std::byte>(checksum & 0xff);
}

ReadRequest index_request(const ShardLevel& level, std::string key,
                          std::span<std::byte> index) {
  return {.key = std::move(key),
          // The shard's size is not known yet, so this counts from its end.
          .offset = level.index_at_start ? 0 : -level.index_bytes,
          .destination = {index}};
}

std::optional<ShardIndex> checked_index(const ShardLevel& level,
                                        const ReadRequest& done) {
  if (!done.found) return std::nullopt;
  if (done.bytes_read != level.index_bytes)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("a shard of {} bytes cannot hold its index of {}",
                            done.object_bytes, level.index_bytes));
  ShardIndex index(level, done.destination[0]);
  index.check();
  return index;
}

}  // namespace rechunk
