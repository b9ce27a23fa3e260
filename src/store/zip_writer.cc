#include "store/zip_writer.h"

#include <libdeflate.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::uint64_t kMost32 = 0xFFFFFFFF, kMost16 = 0xFFFF;
constexpr std::int64_t kPackPieceBytes = 4 << 20;
constexpr std::uint16_t kUtf8 = 0x800;
constexpr std::uint16_t kVersion = 20, kVersion64 = 45;
constexpr std::uint16_t kMadeByUnix = 3 << 8;
// The first of January 1980: archives of equal data are equal.
constexpr std::uint16_t kDate = 1 << 5 | 1;

/// Numbers in the order of the file.
class Record {
 public:
  Record& add(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i)
      bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  Record& add(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// What is too large for 32 bits stands in a field of its own.
std::string zip64_field(std::initializer_list<std::uint64_t> numbers) {
  Record field;
  std::uint64_t bytes = 0;
  for (const std::uint64_t number : numbers)
    if (number >= kMost32) bytes += 8;
  if (bytes == 0) return {};
  field.add(1, 2).add(bytes, 2);
  for (const std::uint64_t number : numbers)
    if (number >= kMost32) field.add(number, 8);
  return field.take();
}

std::uint64_t at_most_32(std::uint64_t number) {
  return std::min(number, kMost32);
}

// What local headers and the directory have in common.
void add_entry(Record& record, std::string_view name, std::uint64_t bytes,
               std::uint32_t crc32, std::size_t extra_bytes) {
  record.add(extra_bytes > 0 ? kVersion64 : kVersion, 2)
      .add(kUtf8, 2)
      .add(0, 2)  // Stored.
      .add(0, 2)
      .add(kDate, 2)
      .add(crc32, 4)
      .add(at_most_32(bytes), 4)
      .add(at_most_32(bytes), 4)
      .add(name.size(), 2)
      .add(extra_bytes, 2);
}

bool is_root_document(std::string_view key) {
  return key.find('/') == std::string_view::npos;
}

/// The CRC-32 of an object; the buffer holds all of it if it is small enough.
std::uint32_t crc_of_object(const Store& store, const std::string& key,
                            std::int64_t bytes, std::vector<std::byte>& buffer,
                            const std::function<void()>& visit) {
  std::uint32_t crc = 0;
  for (std::int64_t at = 0; at < bytes;) {
    buffer.resize(
        static_cast<std::size_t>(std::min(bytes - at, kPackPieceBytes)));
    ReadRequest request{.key = key, .offset = at, .destination = {buffer}};
    store.read_one(request);
    if (request.object_bytes != bytes)
      throw Error(ErrorKind::kIo, "packing " + store.describe(key) +
                                      ": it changes while it is packed");
    crc = libdeflate_crc32(crc, buffer.data(), buffer.size());
    if (visit) visit();
    at += request.bytes_read;
  }
  return crc;
}

}  // namespace

void ZipWriter::write(const std::string& bytes) {
  append(std::as_bytes(std::span(bytes)));
}

void ZipWriter::append(std::span<const std::byte> bytes) {
  writer_->append(bytes);
  at_ += static_cast<std::int64_t>(bytes.size());
}

void ZipWriter::begin(std::string_view name, std::int64_t bytes,
                      std::uint32_t crc32) {
  if (name.size() > kMost16)
    throw Error(ErrorKind::kInvalidArgument,
                "packing: a name in it has more than 65,535 bytes");
  const auto size = static_cast<std::uint64_t>(bytes);
  const auto offset = static_cast<std::uint64_t>(at_);
  const std::string local_extra = zip64_field({size, size});
  const std::string extra = zip64_field({size, size, offset});
  Record local, entry;
  local.add(0x04034b50, 4);
  add_entry(local, name, size, crc32, local_extra.size());
  entry.add(0x02014b50, 4).add(kMadeByUnix | kVersion64, 2);
  add_entry(entry, name, size, crc32, extra.size());
  constexpr std::uint64_t kRegularFile = 0100644u << 16;
  entry.add(0, 2).add(0, 2).add(0, 2).add(kRegularFile, 4);
  entry.add(at_most_32(offset), 4).add(name).add(extra);
  directory_ += entry.take();
  write(local.add(name).add(local_extra).take());
  ++entries_;
}

void ZipWriter::commit() {
  const auto begin = static_cast<std::uint64_t>(at_);
  const auto bytes = static_cast<std::uint64_t>(directory_.size());
  const auto entries = static_cast<std::uint64_t>(entries_);
  write(directory_);
  Record end;
  if (begin >= kMost32 || bytes >= kMost32 || entries >= kMost16) {
    constexpr int kRestBytes = 44;
    end.add(0x06064b50, 4).add(kRestBytes, 8);
    end.add(kMadeByUnix | kVersion64, 2).add(kVersion64, 2);
    end.add(0, 4).add(0, 4).add(entries, 8).add(entries, 8);
    end.add(bytes, 8).add(begin, 8);
    end.add(0x07064b50, 4).add(0, 4).add(begin + bytes, 8).add(1, 4);
  }
  end.add(0x06054b50, 4).add(0, 2).add(0, 2);
  end.add(std::min(entries, kMost16), 2).add(std::min(entries, kMost16), 2);
  end.add(at_most_32(bytes), 4).add(at_most_32(begin), 4).add(0, 2);
  write(end.take());
  writer_->commit();
}

void pack_zip(const Store& from, Store& to, const std::string& key) {
  std::vector<std::pair<std::string, std::int64_t>> objects;
  from.list("", [&](std::string_view name, std::int64_t bytes) {
    objects.emplace_back(name, bytes);
  });
  std::sort(objects.begin(), objects.end(), [](auto& a, auto& b) {
    const bool a_last = is_root_document(a.first),
               b_last = is_root_document(b.first);
    return a_last != b_last ? b_last : a.first < b.first;
  });
  ZipWriter writer(to.open_writer(key));
  std::vector<std::byte> buffer;
  for (const auto& [name, bytes] : objects) {
    writer.begin(name, bytes, crc_of_object(from, name, bytes, buffer, {}));
    if (bytes <= kPackPieceBytes)
      writer.append(std::span(buffer).first(static_cast<std::size_t>(bytes)));
    else
      crc_of_object(from, name, bytes, buffer, [&] { writer.append(buffer); });
  }
  writer.commit();
}

}  // namespace rechunk
