#include "store/file.h"

#include <limits.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "store/io_error.h"

namespace rechunk {
namespace {

// Calls again what a signal interrupted, but not for ever.
template <class Call>
ssize_t uninterrupted(Call&& call) {
  constexpr int kMostInterrupts = 1000;
  for (int interrupts = 0;; ++interrupts) {
    const ssize_t result = call();
    if (result >= 0 || errno != EINTR || interrupts == kMostInterrupts)
      return result;
  }
}

// In larger writes the page cache takes larger blocks of memory. A virtual
// machine has given those back to its host, which takes ten times as long to
// return them as it takes to write the bytes.
constexpr std::size_t kWriteBytes = 128 << 10;

// The buffers of a request as the system wants them.
std::vector<iovec> make_vectors(const ReadRequest& request) {
  std::vector<iovec> vectors;
  vectors.reserve(request.destination.size());
  for (const auto& part : request.destination) {
    if (part.empty()) continue;
    // Neighbours in memory are one.
    if (!vectors.empty() && static_cast<std::byte*>(vectors.back().iov_base) +
                                    vectors.back().iov_len ==
                                part.data())
      vectors.back().iov_len += part.size();
    else
      vectors.push_back({part.data(), part.size()});
  }
  return vectors;
}

}  // namespace

void read_buffers(int file, const std::string& path, std::int64_t offset,
                  ReadRequest& request) {
  std::vector<iovec> vectors = make_vectors(request);
  std::size_t first = 0;
  while (first < vectors.size()) {
    const auto count = static_cast<int>(
        std::min<std::size_t>(IOV_MAX, vectors.size() - first));
    const ssize_t got = uninterrupted(
        [&] { return preadv(file, vectors.data() + first, count, offset); });
    if (got < 0) throw_io("reading", path, errno);
    if (got == 0) return;
    // The system may bring less than was asked for. The loop continues from
    // there.
    request.bytes_read += got;
    offset += got;
    for (auto left = static_cast<std::size_t>(got); left > 0;) {
      iovec& vector = vectors[first];
      const std::size_t part = std::min(left, vector.iov_len);
      vector.iov_base = static_cast<std::byte*>(vector.iov_base) + part;
      vector.iov_len -= part;
      left -= part;
      if (vector.iov_len == 0) ++first;
    }
  }
}

void write_all(int file, const std::string& path,
               std::span<const std::byte> bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const std::size_t most = std::min(bytes.size(), kWriteBytes);
    const ssize_t put =
        uninterrupted([&] { return pwrite(file, bytes.data(), most, offset); });
    if (put < 0) throw_io("writing", path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += put;
  }
}

}  // namespace rechunk
