#include "base/digest.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace rechunk {
namespace {

constexpr std::uint64_t kStep1 = 0x9E3779B97F4A7C15,
                        kStep2 = 0xD1B54A32D192ED03;
constexpr std::uint64_t kMix1 = 0xBF58476D1CE4E5B9, kMix2 = 0xFF51AFD7ED558CCD;
constexpr std::uint64_t kEnd1 = 0x94D049BB133111EB, kEnd2 = 0xC4CEB9FE1A85EC53;

inline std::uint64_t mix(std::uint64_t x, std::uint64_t m, std::uint64_t n) {
  x ^= x >> 32;
  x *= m;
  x ^= x >> 29;
  x *= n;
  return x ^ (x >> 32);
}

// Words of a line of elements: equally spaced in memory and in number.
struct Line {
  const std::byte* data;
  std::int64_t stride_bytes;
  std::uint64_t number;       // Of the first word, plus one.
  std::uint64_t number_step;  // From one element to the next.
  std::int64_t count;
};

template <class Word>
inline Word swap_bytes(Word word) {
  if constexpr (sizeof(Word) == 2) return __builtin_bswap16(word);
  if constexpr (sizeof(Word) == 4) return __builtin_bswap32(word);
  if constexpr (sizeof(Word) == 8) return __builtin_bswap64(word);
  return word;
}

template <class Word, bool kReversed>
inline __attribute__((always_inline)) Digest sum_line(const Line& line) {
  Digest digest;
  const std::byte* at = line.data;
  std::uint64_t key1 = line.number * kStep1, key2 = line.number * kStep2;
  const std::uint64_t step1 = line.number_step * kStep1;
  const std::uint64_t step2 = line.number_step * kStep2;
  for (std::int64_t i = 0; i < line.count; ++i) {
    Word word;
    std::memcpy(&word, at + i * line.stride_bytes, sizeof word);
    if constexpr (kReversed) word = swap_bytes(word);
    const auto value = static_cast<std::uint64_t>(word);
    digest.lanes[0] += mix(
        value ^ (key1 + static_cast<std::uint64_t>(i) * step1), kMix1, kEnd1);
    digest.lanes[1] += mix(
        value ^ (key2 + static_cast<std::uint64_t>(i) * step2), kMix2, kEnd2);
  }
  return digest;
}

// 64-bit multiplication in vectors needs AVX-512; the loader picks the clone.
// Sanitizers cannot run the resolvers that choose it.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__) && defined(__GNUC__) && !defined(__clang__)
#define RECHUNK_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "default")))
#else
#define RECHUNK_CLONES
#endif

RECHUNK_CLONES Digest sum_1(const Line& line) {
  return sum_line<std::uint8_t, false>(line);
}
RECHUNK_CLONES Digest sum_2(const Line& line) {
  return sum_line<std::uint16_t, false>(line);
}
RECHUNK_CLONES Digest sum_4(const Line& line) {
  return sum_line<std::uint32_t, false>(line);
}
RECHUNK_CLONES Digest sum_8(const Line& line) {
  return sum_line<std::uint64_t, false>(line);
}
Digest sum_2_reversed(const Line& line) {
  return sum_line<std::uint16_t, true>(line);
}
Digest sum_4_reversed(const Line& line) {
  return sum_line<std::uint32_t, true>(line);
}
Digest sum_8_reversed(const Line& line) {
  return sum_line<std::uint64_t, true>(line);
}

// One word of `bytes` < 8 bytes per element, or a part of a longer scalar.
Digest sum_odd(const Line& line, std::int64_t bytes, bool reversed) {
  Digest digest;
  for (std::int64_t i = 0; i < line.count; ++i) {
    std::array<std::byte, 8> word{};
    std::memcpy(word.data(), line.data + i * line.stride_bytes,
                static_cast<std::size_t>(bytes));
    if (reversed) std::reverse(word.begin(), word.begin() + bytes);
    Line single{word.data(), 0,
                line.number + static_cast<std::uint64_t>(i) * line.number_step,
                0, 1};
    digest += sum_line<std::uint64_t, false>(single);
  }
  return digest;
}

// A word of one element: where it lies in it, how wide it is.
struct Word {
  std::int64_t offset;
  std::int64_t bytes;
  bool reversed;
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
      words.push_back({offset + at, bytes, scalar.reversed && bytes > 1});
    }
    offset += scalar.bytes;
  }
  return words;
}

Digest sum_word(const Word& word, Line line) {
  line.data += word.offset;
  switch (word.bytes) {
    case 1:
      return sum_1(line);
    case 2:
      return word.reversed ? sum_2_reversed(line) : sum_2(line);
    case 4:
      return word.reversed ? sum_4_reversed(line) : sum_4(line);
    case 8:
      return word.reversed ? sum_8_reversed(line) : sum_8(line);
    default:
      return sum_odd(line, word.bytes, word.reversed);
  }
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
  Digest digest;
  const std::vector<Word> words = words_of(scalars);
  const auto word_count = static_cast<std::uint64_t>(words.size());
  const int rank = static_cast<int>(shape.size());
  Shape positions(rank);  // Row-major elements per step of each axis.
  std::int64_t step = 1;
  for (int axis = rank; axis-- > 0; step *= shape[axis]) positions[axis] = step;

  // Lines run along the axis that lies closest together in memory.
  int along = rank - 1;
  for (int axis = 0; axis < rank; ++axis)
    if (extent[axis] > 1 &&
        (extent[along] <= 1 || strides[axis] < strides[along]))
      along = axis;
  Region lines = whole(extent);
  if (rank > 0) lines.stop[along] = std::min<std::int64_t>(1, extent[along]);

  for_each_point(lines, [&](const Shape& point) {
    std::uint64_t position = 0;
    const std::byte* at = data;
    for (int axis = 0; axis < rank; ++axis) {
      position += static_cast<std::uint64_t>((start[axis] + point[axis]) *
                                             positions[axis]);
      at += point[axis] * strides[axis];
    }
    Line line{
        at, rank ? strides[along] : 0, 0,
        rank ? static_cast<std::uint64_t>(positions[along]) * word_count : 0,
        rank ? extent[along] : 1};
    for (std::uint64_t word = 0; word < word_count; ++word) {
      line.number = position * word_count + word + 1;
      digest += sum_word(words[word], line);
    }
  });
  return digest;
}

}  // namespace rechunk
