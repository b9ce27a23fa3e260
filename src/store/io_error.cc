#include "store/io_error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "rechunk/error.h"

namespace rechunk {
namespace {

// Errors that may pass on busy machines and network disks.
bool is_passing(int code) {
  constexpr int kCodes[] = {EINTR,  EAGAIN, EBUSY,  EIO,
                            ESTALE, ENFILE, EMFILE, ETIMEDOUT};
  return std::find(std::begin(kCodes), std::end(kCodes), code) !=
         std::end(kCodes);
}

}  // namespace

void throw_io(const std::string& action, const std::string& path, int code) {
  std::string hint;
  if (code == ENOSPC || code == EDQUOT) hint = "free space, or write elsewhere";
  throw Error(ErrorKind::kIo, action + " " + path + ": " + std::strerror(code),
              hint)
      .set_retryable(is_passing(code));
}

}  // namespace rechunk
