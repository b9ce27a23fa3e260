#include "base/digest.h"

#include <algorithm>
#include <cstdio>

#include "base/word_sum.h"

namespace rechunk {
namespace {

// A word of an element: its place in the element, and its form.
struct Word {
  std::int64_t offset;
  WordKind kind;
};

std::vector<Word> words_of(const std::vector<DigestScalar>& scalars) {
  std::vector<Word> words;
  std::int64_t offset = 0;
  for (const DigestScalar& scalar : scalars) {
    for (std::int64_t done = 0; done < scalar.bytes; done += 8) {
      const std::int64_t bytes = std::min<std::int64_t>(8, scalar.bytes - done);
      // A reversed scalar's last bytes are its lowest.
      const std::int64_t at =
          scalar.reversed ? scalar.bytes - done - bytes : done;
      words.push_back({offset + at, {bytes, scalar.reversed && bytes > 1}});
    }
    offset += scalar.bytes;
  }
  return words;
}

// True if the words of an element are an axis like any other.
bool are_alike(const std::vector<Word>& words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i].kind != words[0].kind ||
        words[i].offset != static_cast<std::int64_t>(i) * words[0].kind.bytes)
      return false;
  return true;
}

// Sorts axes by their order in memory. Two axes become one if they are one in
// memory and in the numbers.
std::vector<WordAxis> merged(std::vector<WordAxis> axes) {
  std::erase_if(axes, [](const WordAxis& axis) { return axis.extent == 1; });
  std::stable_sort(axes.begin(), axes.end(),
                   [](const WordAxis& a, const WordAxis& b) {
                     return a.stride_bytes > b.stride_bytes;
                   });
  std::vector<WordAxis> result;
  for (const WordAxis& inner : axes) {
    if (!result.empty()) {
      WordAxis& outer = result.back();
      const auto extent = static_cast<std::uint64_t>(inner.extent);
      if (outer.stride_bytes == inner.stride_bytes * inner.extent &&
          outer.number_step == inner.number_step * extent) {
        outer = {outer.extent * inner.extent, inner.stride_bytes,
                 inner.number_step};
        continue;
      }
    }
    result.push_back(inner);
  }
  return result;
}

}  // namespace

std::string to_string(const Digest& digest) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(digest.lanes[0]),
                static_cast<unsigned long long>(digest.lanes[1]));
  return text;
}

Digest digest_box(const std::vector<DigestScalar>& scalars, const Shape& shape,
                  const Shape& start, const Shape& extent,
                  const std::byte* data, const Shape& strides) {
  const std::vector<Word> words = words_of(scalars);
  const auto word_count = static_cast<std::uint64_t>(words.size());
  std::vector<WordAxis> axes(shape.size());
  // Numbers begin with 1. A word of value 0 and number 0 would add nothing.
  std::uint64_t step = word_count, first = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (extent[axis] == 0) return {};
    axes[axis] = {extent[axis], strides[axis], step};
    first += static_cast<std::uint64_t>(start[axis]) * step;
    step *= static_cast<std::uint64_t>(shape[axis]);
  }
  if (are_alike(words)) {
    if (words.empty()) return {};
    const WordKind kind = words[0].kind;
    axes.push_back({static_cast<std::int64_t>(word_count), kind.bytes, 1});
    return sum_words(kind, merged(std::move(axes)), data, first);
  }
  axes = merged(std::move(axes));
  Digest digest;
  for (std::uint64_t word = 0; word < word_count; ++word)
    digest += sum_words(words[word].kind, axes, data + words[word].offset,
                        first + word);
  return digest;
}

}  // namespace rechunk
