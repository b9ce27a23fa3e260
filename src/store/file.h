// An open file, and reading and writing all that is asked for.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "rechunk/store.h"

namespace rechunk {

/// Owns a descriptor. One thread at a time.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  int close() {
    const int result = ::close(descriptor_);
    descriptor_ = -1;
    return result;
  }

 private:
  int descriptor_;
};

/// Fills the buffers of the request from byte `offset` on, and counts in
/// `bytes_read` what was there. `path` is for messages. Throws: io.
void read_buffers(int file, const std::string& path, std::int64_t offset,
                  ReadRequest& request);

/// Throws: io.
void write_all(int file, const std::string& path,
               std::span<const std::byte> bytes, std::int64_t offset);

}  // namespace rechunk
