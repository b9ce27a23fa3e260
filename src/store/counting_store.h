// A store that counts what is asked of another. Only tests include this.
#pragma once

#include <string>

#include "store/forwarding_store.h"

namespace rechunk {

/// Used by one thread.
class CountingStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void read_many(std::span<ReadRequest> all) const override {
    ForwardingStore::read_many(all);
    requests += static_cast<std::int64_t>(all.size());
    for (const ReadRequest& request : all) bytes += request.bytes_read;
  }
  std::string describe(std::string_view key) const override {
    return "/data/" + std::string(key);
  }

  mutable std::int64_t requests = 0;  ///< Of reading.
  mutable std::int64_t bytes = 0;     ///< That were read.
};

}  // namespace rechunk
