#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "rechunk/error.h"
#include "rechunk/store.h"

namespace rechunk {
namespace {

using Bytes = std::vector<std::byte>;

class MemoryStore final : public Store {
 public:
  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    read_in_turn(requests, on_done, [&](ReadRequest& request) {
      const std::lock_guard lock(mutex_);
      answer(request);
    });
  }

  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header_bytes) override;

  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    return objects_.try_emplace(std::string(key), bytes.begin(), bytes.end())
        .second;
  }

  bool erase(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    return objects_.erase(std::string(key)) > 0;
  }

  void scan(std::string_view prefix, const VisitListed& visit) const override {
    std::vector<std::pair<std::string, std::int64_t>> found;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [key, bytes] : objects_)
        if (prefix.empty() || key == prefix ||
            key.starts_with(std::string(prefix) + "/"))
          found.emplace_back(key, static_cast<std::int64_t>(bytes.size()));
    }
    // Without the lock, because the visitor may use the store.
    for (const auto& [key, bytes] : found)
      if (!visit(key, bytes)) return;
  }

  std::string describe(std::string_view key) const override {
    return "memory:" + std::string(key);
  }

  void put(const std::string& key, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    objects_.insert_or_assign(key, std::move(bytes));
  }

 private:
  void answer(ReadRequest& request) const {
    const auto object = objects_.find(request.key);
    request.found = object != objects_.end();
    request.bytes_read = request.object_bytes = 0;
    if (!request.found) return;
    const Bytes& bytes = object->second;
    const auto size = static_cast<std::int64_t>(bytes.size());
    request.object_bytes = size;
    std::int64_t at = request.offset >= 0
                          ? std::min(request.offset, size)
                          : std::max<std::int64_t>(0, size + request.offset);
    for (const auto& part : request.destination) {
      const auto count =
          std::min(static_cast<std::int64_t>(part.size()), size - at);
      if (count > 0)
        std::memcpy(part.data(), bytes.data() + at,
                    static_cast<std::size_t>(count));
      at += count;
      request.bytes_read += count;
    }
  }

  mutable std::mutex mutex_;
  std::map<std::string, Bytes> objects_;
};

class MemoryWriter final : public ObjectWriter {
 public:
  MemoryWriter(MemoryStore& store, std::string key, std::int64_t header_bytes)
      : store_(store),
        key_(std::move(key)),
        header_bytes_(static_cast<std::size_t>(header_bytes)),
        bytes_(header_bytes_) {}

  void append(std::span<const std::byte> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  void commit(std::span<const std::byte> header) override {
    if (header.size() != header_bytes_)
      throw Error(ErrorKind::kInternal,
                  "writing " + key_ + ": a header of another length");
    std::copy(header.begin(), header.end(), bytes_.begin());
    store_.put(key_, std::move(bytes_));
  }

 private:
  MemoryStore& store_;
  const std::string key_;
  const std::size_t header_bytes_;
  Bytes bytes_;
};

std::unique_ptr<ObjectWriter> MemoryStore::open_writer(
    std::string_view key, std::int64_t header_bytes) {
  return std::make_unique<MemoryWriter>(*this, std::string(key), header_bytes);
}

}  // namespace

std::shared_ptr<Store> make_memory_store() {
  return std::make_shared<MemoryStore>();
}

}  // namespace rechunk
