// "NAME:CHUNKS" and "NAME:CODEC", for one array of a group. Names may contain
// colons, and only the source shows where the value begins. So a word is right
// if it can be divided at any colon.
#pragma once

#include <string>
#include <vector>

namespace rechunk::cli {

/// Words of --array and of --array-codec. Throws: UsageError.
void check_array_chunks(const std::vector<std::string>& words);
void check_array_codecs(const std::vector<std::string>& words);

}  // namespace rechunk::cli
