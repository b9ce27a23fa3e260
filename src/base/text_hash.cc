#include "base/text_hash.h"

#include "base/digest.h"

namespace rechunk {

std::string text_hash(std::string_view text) {
  const Shape shape{static_cast<std::int64_t>(text.size())};
  return to_string(digest_box({{1, false}}, shape, {0}, shape,
                              reinterpret_cast<const std::byte*>(text.data()),
                              {1}));
}

}  // namespace rechunk
