#include "request/media.h"

#include <algorithm>
#include <memory>

namespace rechunk {
namespace {

constexpr double kNanoseconds = 1e9;

void add_medium(const Store* store, int threads, MediumTraits& traits) {
  if (!store) return;
  const Medium medium = store->medium();
  traits.requests = medium.requests;
  traits.writer_bytes = medium.writer_bytes;
  traits.copies = medium.copies;
  if (medium.is_disk)
    traits.disk_read_ns_per_byte = traits.disk_write_ns_per_byte =
        kDiskNsPerByte;
  if (medium.latency_seconds > 0) {
    traits.latency_ns = medium.latency_seconds * kNanoseconds;
    // Runs of one chunk are asked for together.
    traits.run_ns += traits.latency_ns / medium.requests;
  }
  if (medium.bytes_per_second > 0)
    traits.read_ns_per_byte = traits.write_ns_per_byte =
        threads * kNanoseconds / medium.bytes_per_second;
}

// Of an array. Its requests in flight have a buffer here and one in the store.
void add_medium(const Store* store, int threads, ChunkTraits& side) {
  add_medium(store, threads, side.medium);
  if (side.medium.copies)
    side.request_bytes = checked_multiply(side.request_bytes, 2);
}

double stored_bytes(const ArrayProblem& problem, const ChunkTraits& side) {
  double bytes = static_cast<double>(problem.item_bytes) * side.stored_ratio;
  for (const std::int64_t length : problem.shape)
    bytes *= static_cast<double>(length);
  return bytes * (1 - problem.missing_share);
}

}  // namespace

void add_media(const Stores& stores, int threads, ArrayProblem& problem) {
  if (!stores.array_sources.contains(problem.name))
    add_medium(stores.source.get(), threads, problem.source);
  add_medium(stores.target.get(), threads, problem.target);
  add_medium(stores.temp.get(), threads, problem.temp);
  // Shards go through an open writer, which keeps no more than a shard.
  if (problem.target.request_bytes > 0) return;
  const std::int64_t shard = checked_multiply(
      element_count(problem.target.objects), problem.item_bytes);
  problem.target.object_scratch_bytes =
      checked_add(problem.target.object_scratch_bytes,
                  std::min(problem.target.medium.writer_bytes,
                           checked_add(shard, shard / 8)));
}

void add_page_cache(std::int64_t cache_bytes,
                    std::vector<ArrayProblem>& problems) {
  double disk_bytes = 0;
  for (const ArrayProblem& problem : problems)
    for (const ChunkTraits* side : {&problem.source, &problem.target})
      if (side->medium.disk_write_ns_per_byte > 0)
        disk_bytes += stored_bytes(problem, *side);
  for (ArrayProblem& problem : problems) {
    problem.cache_bytes = cache_bytes;
    problem.disk_bytes = disk_bytes;
  }
}

}  // namespace rechunk
