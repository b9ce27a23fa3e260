// "NAME:CHUNKS" and "NAME:CODEC", for one array of a group. Names may have
// colons: only the source tells where the value begins, so that a word is right
// if it may be taken apart somewhere.
#pragma once

#include <string>
#include <vector>

namespace rechunk::cli {

/// Words of --array and of --array-codec. Throws: UsageError.
void check_array_chunks(const std::vector<std::string>& words);
void check_array_codecs(const std::vector<std::string>& words);

}  // namespace rechunk::cli
