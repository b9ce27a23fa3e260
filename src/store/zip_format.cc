#include "store/zip_format.h"

#include <algorithm>
#include <string>

#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::uint32_t kEndMark = 0x06054b50, kEnd64Mark = 0x06064b50,
                        kLocatorMark = 0x07064b50, kRecordMark = 0x02014b50,
                        kHeaderMark = 0x04034b50;
constexpr std::size_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56;
// These say that the number is in a record of zip64.
constexpr std::uint64_t kIn64 = 0xFFFFFFFF, kCountIn64 = 0xFFFF;

[[noreturn]] void damaged(const std::string& cause) {
  throw Error(ErrorKind::kCorrupt, "the zip archive is damaged: " + cause);
}

std::uint64_t number(std::span<const std::byte> bytes, std::size_t at,
                     std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

std::uint16_t half(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number(bytes, at, 2));
}

std::uint32_t word(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}

// Sizes and offsets are signed everywhere else.
std::int64_t as_signed(std::uint64_t value) {
  if (value >> 60) damaged("a number in it is too large");
  return static_cast<std::int64_t>(value);
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A comment may hold anything, also what looks like an end record. Only a
// record whose comment ends where the object ends counts, and there must be
// one.
std::size_t find_end_record(std::span<const std::byte> tail) {
  constexpr std::size_t kMostComment = 0xFFFF;
  std::optional<std::size_t> found;
  for (std::size_t comment = 0;
       comment <= kMostComment && comment + kEndBytes <= tail.size();
       ++comment) {
    const std::size_t at = tail.size() - kEndBytes - comment;
    if (word(tail, at) != kEndMark || half(tail, at + 20) != comment) continue;
    if (found) damaged("it has several end records");
    found = at;
  }
  if (!found)
    throw Error(ErrorKind::kCorrupt,
                "it is no zip archive, or its end is missing");
  return *found;
}

/// The numbers of both end records.
struct EndNumbers {
  std::uint64_t disk = 0, directory_disk = 0, entries_here = 0, entries = 0,
                directory_bytes = 0, directory_offset = 0;
};

EndNumbers end_numbers(std::span<const std::byte> tail, std::size_t at) {
  return {half(tail, at + 4),  half(tail, at + 6),  half(tail, at + 8),
          half(tail, at + 10), word(tail, at + 12), word(tail, at + 16)};
}

EndNumbers end64_numbers(std::span<const std::byte> tail, std::size_t at) {
  return {word(tail, at + 16),      word(tail, at + 20),
          number(tail, at + 24, 8), number(tail, at + 32, 8),
          number(tail, at + 40, 8), number(tail, at + 48, 8)};
}

bool agrees(std::uint64_t value, std::uint64_t in_64, std::uint64_t mark) {
  return value == mark || value == in_64;
}

// Where the record of zip64 begins, to which the locator points. Offsets do not
// count what lies before the archive, so it is also looked for right there.
std::size_t find_end64(std::span<const std::byte> tail, std::size_t locator,
                       std::int64_t tail_begin) {
  const auto ends_at_locator = [&](std::size_t at) {
    return at <= locator && locator - at >= kEnd64Bytes &&
           word(tail, at) == kEnd64Mark &&
           number(tail, at + 4, 8) == locator - at - 12;
  };
  const std::int64_t recorded =
      as_signed(number(tail, locator + 8, 8)) - tail_begin;
  if (recorded >= 0 && ends_at_locator(static_cast<std::size_t>(recorded)))
    return static_cast<std::size_t>(recorded);
  if (locator >= kEnd64Bytes && ends_at_locator(locator - kEnd64Bytes))
    return locator - kEnd64Bytes;
  damaged("its end record of zip64 is missing");
}

void check_one_disk(const EndNumbers& end, std::uint64_t disks) {
  if (end.disk != 0 || end.directory_disk != 0 || disks > 1 ||
      end.entries_here != end.entries)
    throw Error(ErrorKind::kUnsupported,
                "the zip archive is split into several files",
                "join its parts into one archive");
}

// Numbers that the record itself cannot hold, in the order of the APPNOTE.
void read_zip64_field(std::span<const std::byte> field, ZipRecord& record,
                      bool large_offset) {
  std::size_t at = 0;
  const auto next = [&] {
    if (field.size() - at < 8) damaged("a field of zip64 is too short");
    at += 8;
    return as_signed(number(field, at - 8, 8));
  };
  constexpr auto kLarge = static_cast<std::int64_t>(kIn64);
  if (record.bytes == kLarge) record.bytes = next();
  if (record.encoded_bytes == kLarge) record.encoded_bytes = next();
  if (large_offset) record.offset = next();
}

void read_extra_fields(std::span<const std::byte> extra, ZipRecord& record) {
  constexpr std::uint16_t kZip64Field = 1;
  const bool large_offset = record.offset == static_cast<std::int64_t>(kIn64);
  while (extra.size() >= 4) {
    const std::size_t bytes = half(extra, 2);
    if (bytes > extra.size() - 4) damaged("an extra field is too long");
    if (half(extra, 0) == kZip64Field)
      return read_zip64_field(extra.subspan(4, bytes), record, large_offset);
    extra = extra.subspan(4 + bytes);
  }
}

}  // namespace

ZipEnd find_zip_end(std::span<const std::byte> tail,
                    std::int64_t object_bytes) {
  const std::int64_t tail_begin =
      object_bytes - static_cast<std::int64_t>(tail.size());
  std::size_t at = find_end_record(tail);
  EndNumbers numbers = end_numbers(tail, at);
  std::uint64_t disks = 1;
  if (at >= kLocatorBytes && word(tail, at - kLocatorBytes) == kLocatorMark) {
    const std::size_t locator = at - kLocatorBytes;
    disks = word(tail, locator + 16);
    at = find_end64(tail, locator, tail_begin);
    const EndNumbers large = end64_numbers(tail, at);
    if (!agrees(numbers.entries, large.entries, kCountIn64) ||
        !agrees(numbers.directory_bytes, large.directory_bytes, kIn64) ||
        !agrees(numbers.directory_offset, large.directory_offset, kIn64))
      damaged("its end records contradict each other");
    numbers = large;
  }
  check_one_disk(numbers, disks);
  ZipEnd end;
  end.entries = as_signed(numbers.entries);
  end.directory_bytes = as_signed(numbers.directory_bytes);
  end.directory_begin =
      tail_begin + static_cast<std::int64_t>(at) - end.directory_bytes;
  end.shift = end.directory_begin - as_signed(numbers.directory_offset);
  if (end.directory_begin < 0 || end.shift < 0 ||
      end.entries > end.directory_bytes / kZipRecordBytes)
    damaged("its end record contradicts its size");
  return end;
}

std::optional<ZipRecord> read_zip_record(std::span<const std::byte> bytes) {
  if (bytes.size() < kZipRecordBytes) return std::nullopt;
  if (word(bytes, 0) != kRecordMark) damaged("its directory is broken");
  const std::size_t name = half(bytes, 28), extra = half(bytes, 30),
                    comment = half(bytes, 32);
  const std::size_t whole = kZipRecordBytes + name + extra + comment;
  if (bytes.size() < whole) return std::nullopt;
  ZipRecord record;
  record.flags = half(bytes, 8);
  record.method = half(bytes, 10);
  record.crc32 = word(bytes, 16);
  record.encoded_bytes = word(bytes, 20);
  record.bytes = word(bytes, 24);
  record.offset = word(bytes, 42);
  record.name = as_text(bytes.subspan(kZipRecordBytes, name));
  record.record_bytes = static_cast<std::int64_t>(whole);
  read_extra_fields(bytes.subspan(kZipRecordBytes + name, extra), record);
  if (half(bytes, 34) != 0 && half(bytes, 34) != kCountIn64)
    damaged("an entry is in another file");
  return record;
}

std::int64_t check_zip_header(std::span<const std::byte> header,
                              const ZipRecord& record) {
  const std::size_t name = record.name.size();
  if (header.size() < kZipHeaderBytes + name || word(header, 0) != kHeaderMark)
    damaged("an entry is not where its directory says");
  const auto contradicts = [&](std::size_t at, std::int64_t value) {
    return word(header, at) != kIn64 &&
           word(header, at) != static_cast<std::uint64_t>(value);
  };
  const bool sizes_differ = contradicts(18, record.encoded_bytes) ||
                            contradicts(22, record.bytes) ||
                            word(header, 14) != record.crc32;
  if (half(header, 26) != name || half(header, 8) != record.method ||
      ((half(header, 6) ^ record.flags) & 0x2041) != 0 ||
      as_text(header.subspan(kZipHeaderBytes, name)) != record.name ||
      (sizes_differ && !record.has_descriptor()))
    damaged("an entry contradicts its directory");
  return kZipHeaderBytes + half(header, 26) + half(header, 28);
}

}  // namespace rechunk
