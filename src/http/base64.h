// Bytes as letters, as headers and tokens carry them.
#pragma once

#include <string>
#include <string_view>

namespace rechunk::http {

std::string base64(std::string_view bytes);

/// With "-" and "_", and without "=" at the end.
std::string base64url(std::string_view bytes);

}  // namespace rechunk::http
