#include "store/file_url.h"

#include <charconv>

namespace rechunk {

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* begin = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(begin, begin + 2, byte, 16).ptr == begin + 2) {
      result += static_cast<char>(byte);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string file_path(std::string_view place) {
  constexpr std::string_view kHere = "localhost/";
  if (!place.starts_with(kFileScheme)) return std::string(place);
  place.remove_prefix(kFileScheme.size());
  if (place.starts_with(kHere)) place.remove_prefix(kHere.size() - 1);
  return percent_decoded(place);
}

}  // namespace rechunk
