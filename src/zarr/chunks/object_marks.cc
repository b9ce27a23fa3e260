#include "zarr/chunks/object_marks.h"

#include <algorithm>
#include <utility>

#include "base/content_hash.h"

namespace rechunk {
namespace {

void add(ObjectSums& sums, std::string_view key, std::int64_t bytes) {
  // Sums do not depend on the order in which tasks end.
  sums.objects += 1;
  sums.marks += content_hash(key, {static_cast<std::uint64_t>(bytes)});
}

void append_range(ContentHash& hash, const Store& store, const std::string& key,
                  std::pair<std::int64_t, std::int64_t> range,
                  std::span<std::byte> buffer) {
  for (auto [at, stop] = range; at < stop;) {
    const auto part = static_cast<std::size_t>(std::min<std::int64_t>(
        stop - at, static_cast<std::int64_t>(buffer.size())));
    ReadRequest request{
        .key = key, .offset = at, .destination = {buffer.first(part)}};
    store.read_one(request);
    if (request.bytes_read <= 0) return;  // Shorter than it was just now.
    hash.append(buffer.first(static_cast<std::size_t>(request.bytes_read)));
    at += request.bytes_read;
  }
}

}  // namespace

void note_source(StageReport& report, const ReadRequest& request) {
  const bool found = request.found;
  const std::uint64_t mark = content_hash(
      request.key,
      {found, found ? static_cast<std::uint64_t>(request.object_bytes) : 0,
       found ? static_cast<std::uint64_t>(request.version) : 0});
  // Requests for parts of one object follow each other. So this removes most
  // repetitions at once, and `sum_sources` the others.
  auto& marks = report.source_marks;
  if (marks.empty() || marks.back() != mark) marks.push_back(mark);
}

void note_written(StageReport& report, std::string_view key, std::int64_t bytes,
                  std::uint64_t content) {
  add(report.written, key, bytes);
  report.written.contents += content_hash(key, {content});
}

void note_existing(ObjectSums& sums, const Store& store, const std::string& key,
                   std::int64_t header_bytes, std::span<std::byte> buffer) {
  ReadRequest request{.key = key};
  store.read_one(request);
  if (!request.found) return;
  const std::int64_t bytes = request.object_bytes;
  add(sums, key, bytes);
  if (buffer.empty()) return;
  ContentHash hash;
  // In the order of writing, where the header comes last.
  append_range(hash, store, key, {header_bytes, bytes}, buffer);
  append_range(hash, store, key, {0, header_bytes}, buffer);
  sums.contents += content_hash(key, {hash.value()});
}

void sum_sources(StageReport& report) {
  auto& marks = report.source_marks;
  std::sort(marks.begin(), marks.end());
  marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
  report.read.objects += static_cast<std::int64_t>(marks.size());
  for (const std::uint64_t mark : marks) report.read.marks += mark;
  marks = {};
}

}  // namespace rechunk
