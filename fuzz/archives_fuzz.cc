// Zip archives and kerchunk's references: each part that is read is the slice
// of the whole, and each listed object is there.
#include <algorithm>
#include <vector>

#include "input.h"
#include "store/reference_store.h"
#include "store/zip_store.h"
#include "targets.h"

namespace rechunk::fuzz {
namespace {

constexpr std::int64_t kMostRead = 1 << 16;

std::vector<std::byte> read_part(const Store& store, const std::string& key,
                                 std::int64_t offset, std::int64_t bytes) {
  std::vector<std::byte> part(static_cast<std::size_t>(bytes));
  ReadRequest request{.key = key, .offset = offset, .destination = {part}};
  store.read_one(request);
  require(request.found, "a listed object is not there");
  require(request.bytes_read <= bytes, "more was read than was asked for");
  part.resize(static_cast<std::size_t>(request.bytes_read));
  return part;
}

void check_object(const Store& store, const std::string& key,
                  std::int64_t listed_bytes) {
  std::vector<std::byte> whole;
  if (!succeeds([&] { whole = read_part(store, key, 0, kMostRead); })) return;
  const auto size = static_cast<std::int64_t>(whole.size());
  require(size == std::min(listed_bytes, kMostRead), "a listed size is wrong");
  const std::int64_t begin = size / 3;
  std::vector<std::byte> part;
  if (!succeeds([&] { part = read_part(store, key, begin, size / 2); })) return;
  require(std::equal(part.begin(), part.end(),
                     whole.begin() + static_cast<std::ptrdiff_t>(begin)),
          "a part is not the slice of the whole");
}

void check_store(const Store& store) {
  std::vector<std::pair<std::string, std::int64_t>> objects;
  succeeds([&] {
    store.scan("", [&](std::string_view key, std::int64_t bytes) {
      objects.emplace_back(key, bytes);
      return objects.size() < 1000;
    });
  });
  for (const auto& [key, bytes] : objects) check_object(store, key, bytes);
}

}  // namespace

void fuzz_zip(std::string_view input) {
  const std::shared_ptr<Store> outer = make_memory_store();
  write_text(*outer, "x.zip", input);
  succeeds([&] { check_store(*make_zip_store(outer, "x.zip", "x.zip")); });
}

void fuzz_references(std::string_view input) {
  const auto outer = make_memory_store();
  write_text(*outer, "x.json", input);
  succeeds([&] {
    check_store(*make_reference_store(
        *outer, "x.json", "/no/such/folder/of/references/x.json", {}, {}));
  });
}

}  // namespace rechunk::fuzz
