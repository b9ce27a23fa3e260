// Local places as URLs: file:///data/a, file://localhost/data/a.
#pragma once

#include <string>
#include <string_view>

namespace rechunk {

constexpr std::string_view kFileScheme = "file://";

/// The path of a local place: what a file URL says, with its %20 decoded; any
/// other text as it is. "file://a" is the relative path "a", as fsspec has it.
std::string file_path(std::string_view place);

}  // namespace rechunk
