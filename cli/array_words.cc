#include "cli/array_words.h"

#include <fmt/format.h>

#include "cli/flags.h"
#include "codec/codec_spec_text.h"
#include "plan/chunk_spec.h"

namespace rechunk::cli {
namespace {

/// Names may have colons. So the value behind each colon is tried, until one
/// makes sense.
template <class Parse>
void check(const char* flag, const std::string& word, const char* example,
           Parse&& parse) {
  if (word.find(':') == std::string::npos)
    throw UsageError(fmt::format("{}: \"{}\" has no colon", flag, word),
                     fmt::format("write the array's path, a colon and the "
                                 "value, such as {} {}",
                                 flag, example));
  for (std::size_t colon = word.find(':');;) {
    const std::size_t next = word.find(':', colon + 1);
    try {
      parse(word.substr(colon + 1));
      return;
    } catch (const Error& error) {
      if (next == std::string::npos) throw UsageError(error.with_context(flag));
    }
    colon = next;
  }
}

}  // namespace

void check_array_chunks(const std::vector<std::string>& words) {
  for (const std::string& word : words)
    check("--array", word, "ocean/temp:time=all,lat=10",
          [](const std::string& value) { parse_chunk_spec(value); });
}

void check_array_codecs(const std::vector<std::string>& words) {
  for (const std::string& word : words)
    check("--array-codec", word, "ocean/temp:zstd:3",
          [](const std::string& value) { parse_codec_specs(value); });
}

}  // namespace rechunk::cli
