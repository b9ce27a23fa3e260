// Reads a whole array once to digest or to compare it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/memory_budget.h"
#include "plan/cuts.h"
#include "rechunk/comparison.h"
#include "rechunk/store.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

/// One array in a store.
struct StoredArray {
  std::shared_ptr<Store> store;
  std::string path;
  const ArrayMetadata& metadata;
};

struct ReadOptions {
  MemoryBudget& budget;
  int threads = 1;
  std::stop_token stop;
  /// Called with the size of each part that was read, by one thread at a time;
  /// may be empty.
  std::function<void(std::int64_t bytes)> on_read;
  Sample sample;  ///< Of what is compared, not of what is digested.
};

/// Payload bytes that one thread of `digest_array` holds.
std::int64_t digest_bytes(const ArrayLayout& layout);

/// Digest of all elements; decodes every chunk once.
/// Throws: unsupported, corrupt, io, budget_exceeded, cancelled.
Digest digest_array(const StoredArray& array, const ReadOptions& options);

/// Digest of the kept elements, and of those after them; decodes every chunk
/// once.
std::pair<Digest, Digest> digest_kept(const StoredArray& array,
                                      const Kept& kept,
                                      const ReadOptions& options);

/// Digests of the cells of a grid on the array, by cell; decodes every chunk
/// once.
std::vector<Digest> digest_cells(const StoredArray& array, const Grid& cells,
                                 const ReadOptions& options);

/// Payload bytes that one thread holds to verify that target against that
/// source, in whichever of these ways.
std::int64_t verification_bytes(const ArrayMetadata& source,
                                const ArrayMetadata& target);

/// How many of the requested threads fit into the budget.
/// Throws: budget_exceeded.
int threads_within(const ReadOptions& options, std::int64_t task_bytes);

}  // namespace rechunk
