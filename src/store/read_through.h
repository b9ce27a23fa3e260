// Reads objects of one store through others, which hold their bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// A request to the store that holds the bytes.
struct OuterRead {
  const Store* store = nullptr;
  ReadRequest request;
};

/// How many bytes the buffers of a request have.
inline std::int64_t buffer_bytes(const ReadRequest& request) {
  std::int64_t bytes = 0;
  for (const auto& buffer : request.destination)
    bytes += static_cast<std::int64_t>(buffer.size());
  return bytes;
}

/// The buffers of a request, without what would come after `bytes`.
inline std::vector<std::span<std::byte>> first_buffers(
    const ReadRequest& request, std::int64_t bytes) {
  std::vector<std::span<std::byte>> first;
  for (const auto& buffer : request.destination) {
    if (bytes == 0) break;
    first.push_back(
        buffer.first(std::min(buffer.size(), static_cast<std::size_t>(bytes))));
    bytes -= static_cast<std::int64_t>(first.back().size());
  }
  return first;
}

/// Answers the requests of a caller, and does what `Store::read_many` promises.
/// A `Read` answers one of them, `asked()`. Its `begin()` and `go_on(got)`,
/// which takes what came, return the next request to another store, or nothing
/// if the answer is there. Its addresses stay until the end.
template <class Read>
void read_through(std::vector<Read>& reads, const OnRead& on_done) {
  struct Batch {
    std::vector<Read*> reads;
    std::vector<ReadRequest> requests;
  };
  std::map<const Store*, Batch> waiting;
  const auto add = [&](Read& read, OuterRead next) {
    Batch& batch = waiting[next.store];
    batch.reads.push_back(&read);
    batch.requests.push_back(std::move(next.request));
  };
  // Answers what needs no other store, as often as the caller asks on.
  const auto begin = [&](Read& read) -> std::optional<OuterRead> {
    for (;;) {
      if (auto next = read.begin()) return next;
      if (!on_done || !on_done(read.asked())) return std::nullopt;
    }
  };
  for (Read& read : reads)
    if (auto next = begin(read)) add(read, *std::move(next));
  while (!waiting.empty()) {
    const auto node = waiting.extract(waiting.begin());
    const Store* store = node.key();
    Batch& batch = node.mapped();
    store->read_many(batch.requests, [&](ReadRequest& got) {
      Read& read =
          *batch.reads[static_cast<std::size_t>(&got - batch.requests.data())];
      auto next = read.go_on(got);
      if (!next && on_done && on_done(read.asked())) next = begin(read);
      if (!next) return false;
      const bool is_here = next->store == store;
      if (is_here)
        got = std::move(next->request);
      else
        add(read, *std::move(next));
      return is_here;
    });
  }
}

}  // namespace rechunk
