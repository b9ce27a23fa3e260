#include "store/file_url.h"

#include "http/url_text.h"

namespace rechunk {

std::string file_path(std::string_view place) {
  constexpr std::string_view kHere = "localhost/";
  if (!place.starts_with(kFileScheme)) return std::string(place);
  place.remove_prefix(kFileScheme.size());
  if (place.starts_with(kHere)) place.remove_prefix(kHere.size() - 1);
  return http::percent_decoded(place);
}

}  // namespace rechunk
