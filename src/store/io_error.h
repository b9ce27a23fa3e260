// Errors of system calls on files.
#pragma once

#include <string>

namespace rechunk {

/// Throws: io, "action path: cause"; retryable where another try may succeed.
[[noreturn]] void throw_io(const std::string& action, const std::string& path,
                           int code);

}  // namespace rechunk
