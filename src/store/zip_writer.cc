#include "store/zip_writer.h"

#include <libdeflate.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::uint64_t kMost32 = 0xFFFFFFFF, kMost16 = 0xFFFF;
constexpr std::size_t kMostAtATime = 4096;
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

struct Listed {
  std::string name;
  std::int64_t bytes;
  friend bool operator==(const Listed&, const Listed&) = default;
};

[[noreturn]] void throw_changed(const Store& store, const std::string& name) {
  throw Error(ErrorKind::kIo, "packing " + store.describe(name) +
                                  ": it changes while it is packed");
}

using Buffer = std::span<std::byte>;

std::uint32_t crc_of(Buffer bytes, std::uint32_t before = 0) {
  return libdeflate_crc32(before, bytes.data(), bytes.size());
}

/// Calls `visit` with each piece of an object that the buffer cannot hold.
void read_pieces(const Store& from, const Listed& object, Buffer buffer,
                 const std::function<void(Buffer)>& visit) {
  for (std::int64_t at = 0; at < object.bytes;) {
    ReadRequest piece{
        .key = object.name, .offset = at, .destination = {buffer}};
    from.read_one(piece);
    if (piece.object_bytes != object.bytes || piece.bytes_read == 0)
      throw_changed(from, object.name);
    visit(buffer.first(static_cast<std::size_t>(piece.bytes_read)));
    at += piece.bytes_read;
  }
}

void pack_large(const Store& from, const Listed& object, Buffer buffer,
                ZipWriter& writer) {
  std::uint32_t crc = 0;
  read_pieces(from, object, buffer,
              [&](Buffer piece) { crc = crc_of(piece, crc); });
  writer.begin(object.name, object.bytes, crc);
  read_pieces(from, object, buffer,
              [&](Buffer piece) { writer.append(piece); });
}

/// Reads whole objects that the buffer can hold together.
std::vector<ReadRequest> read_small(const Store& from,
                                    std::span<const Listed> objects,
                                    Buffer buffer) {
  std::vector<ReadRequest> requests;
  for (const Listed& object : objects) {
    const auto bytes = static_cast<std::size_t>(object.bytes);
    requests.push_back(
        {.key = object.name, .destination = {buffer.first(bytes)}});
    buffer = buffer.subspan(bytes);
  }
  from.read_all(requests);
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (!requests[i].found || requests[i].object_bytes != objects[i].bytes)
      throw_changed(from, objects[i].name);
  return requests;
}

std::vector<Listed> list_of(const Store& store) {
  std::vector<Listed> objects;
  store.list("", [&](std::string_view name, std::int64_t bytes) {
    objects.push_back({std::string(name), bytes});
  });
  std::sort(objects.begin(), objects.end(), [](auto& a, auto& b) {
    const bool a_last = is_root_document(a.name),
               b_last = is_root_document(b.name);
    return a_last != b_last ? b_last : a.name < b.name;
  });
  return objects;
}

/// Divides the objects into those that the buffer can hold together, and those
/// that it cannot hold.
void in_batches(
    const std::vector<Listed>& objects, Buffer buffer,
    const std::function<void(std::span<const Listed> small)>& visit_small,
    const std::function<void(const Listed& large)>& visit_large) {
  const auto room = static_cast<std::int64_t>(buffer.size());
  for (std::size_t first = 0; first < objects.size();) {
    std::size_t stop = first;
    for (std::int64_t bytes = 0; stop < objects.size(); ++stop) {
      bytes += objects[stop].bytes;
      if (bytes > room || stop - first == kMostAtATime) break;
    }
    if (stop > first)
      visit_small(std::span(objects).subspan(first, stop - first));
    else
      visit_large(objects[stop++]);
    first = stop;
  }
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

void pack_zip(const Store& from, Store& to, const std::string& key,
              std::span<std::byte> buffer) {
  ZipWriter writer(to.open_writer(key));
  in_batches(
      list_of(from), buffer,
      [&](std::span<const Listed> small) {
        for (const ReadRequest& read : read_small(from, small, buffer)) {
          const Buffer bytes = read.destination[0];
          writer.begin(read.key, read.object_bytes, crc_of(bytes));
          writer.append(bytes);
        }
      },
      [&](const Listed& large) { pack_large(from, large, buffer, writer); });
  writer.commit();
}

void verify_zip(const Store& from, const Store& archive,
                std::span<std::byte> buffer) {
  const Buffer half = buffer.first(buffer.size() / 2);
  const Buffer other = buffer.subspan(half.size(), half.size());
  const auto objects = list_of(archive);
  if (list_of(from) != objects)
    throw Error(ErrorKind::kCorrupt,
                "verifying " + archive.describe("") +
                    ": it does not hold the objects that were packed");
  in_batches(
      objects, buffer,
      [&](std::span<const Listed> small) {
        read_small(archive, small, buffer);
      },
      [&](const Listed& large) {
        std::int64_t at = 0;
        read_pieces(archive, large, half, [&](Buffer piece) {
          ReadRequest own{.key = large.name,
                          .offset = at,
                          .destination = {other.first(piece.size())}};
          from.read_one(own);
          if (!std::equal(piece.begin(), piece.end(), other.begin()))
            throw Error(ErrorKind::kCorrupt, "verifying " +
                                                 archive.describe(large.name) +
                                                 ": it is not what was packed");
          at += own.bytes_read;
        });
      });
}

}  // namespace rechunk
