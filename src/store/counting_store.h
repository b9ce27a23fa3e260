// A store that counts what is asked of another. Only tests include this.
#pragma once

#include <string>

#include "store/forwarding_store.h"

namespace rechunk {

/// Used by one thread.
class CountingStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void read_many(std::span<ReadRequest> all,
                 const OnRead& on_done) const override {
    ForwardingStore::read_many(all, [&](ReadRequest& request) {
      requests += 1;
      bytes += request.bytes_read;
      return on_done && on_done(request);
    });
  }
  std::string describe(std::string_view key) const override {
    return "/data/" + std::string(key);
  }

  mutable std::int64_t requests = 0;  ///< Of reading.
  mutable std::int64_t bytes = 0;     ///< That were read.
};

}  // namespace rechunk
