#include "base/word_sum.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

// 64-bit multiplication in vectors needs AVX-512; the loader picks the clone.
// Sanitizers cannot run the resolvers that choose it.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__) && defined(__GNUC__) && !defined(__clang__)
#define RECHUNK_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "default")))
#else
#define RECHUNK_CLONES
#endif

namespace rechunk {
namespace {

constexpr std::uint64_t kStep1 = 0x9E3779B97F4A7C15;
constexpr std::uint64_t kStep2 = 0xD1B54A32D192ED03;
constexpr std::uint64_t kMix = 0xBF58476D1CE4E5B9;
constexpr std::uint64_t kEnd1 = 0x94D049BB133111EB;
constexpr std::uint64_t kEnd2 = 0xC4CEB9FE1A85EC53;

constexpr std::int64_t kTileWords = 512;
// Rows of so many words are not put side by side with others.
constexpr std::int64_t kLongRow = 64;

// What is mixed into a word.
struct Keys {
  std::uint64_t lane1, lane2;
};
Keys keys_of(std::uint64_t number) {
  return {number * kStep1, number * kStep2};
}

// Of the words of a tile, less those of its first.
struct KeyTable {
  std::uint64_t lane1[kTileWords], lane2[kTileWords];
};

template <int kBytes>
using Unsigned = std::conditional_t<
    kBytes == 1, std::uint8_t,
    std::conditional_t<
        kBytes == 2, std::uint16_t,
        std::conditional_t<kBytes == 4, std::uint32_t, std::uint64_t>>>;

inline std::uint8_t swapped(std::uint8_t word) { return word; }
inline std::uint16_t swapped(std::uint16_t word) {
  return __builtin_bswap16(word);
}
inline std::uint32_t swapped(std::uint32_t word) {
  return __builtin_bswap32(word);
}
inline std::uint64_t swapped(std::uint64_t word) {
  return __builtin_bswap64(word);
}

template <int kBytes, bool kReversed>
inline __attribute__((always_inline)) std::uint64_t load(
    const std::byte* data) {
  Unsigned<kBytes> word = 0;
  std::memcpy(&word, data, kBytes);
  if constexpr (kReversed)  // Of an odd width: its last bytes come first.
    return swapped(word) >> 8 * (sizeof word - kBytes);
  return word;
}

template <int kBytes, bool kReversed>
inline __attribute__((always_inline)) Digest sum_tile(const std::byte* data,
                                                      std::int64_t count,
                                                      Keys first,
                                                      const KeyTable& table) {
  std::uint64_t lane1 = 0, lane2 = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = load<kBytes, kReversed>(data + i * kBytes);
    std::uint64_t x = value ^ (first.lane1 + table.lane1[i]);
    x = (x ^ (x >> 32)) * kMix;
    x ^= x >> 29;
    const std::uint64_t a = x * kEnd1;
    const std::uint64_t b = (x ^ (first.lane2 + table.lane2[i])) * kEnd2;
    lane1 += a ^ (a >> 32);
    lane2 += b ^ (b >> 32);
  }
  return {{lane1, lane2}};
}

#define RECHUNK_SUM_TILE(name, bytes, reversed)                         \
  RECHUNK_CLONES Digest name(const std::byte* data, std::int64_t count, \
                             Keys first, const KeyTable& table) {       \
    return sum_tile<bytes, reversed>(data, count, first, table);        \
  }
RECHUNK_SUM_TILE(sum_1, 1, false)
RECHUNK_SUM_TILE(sum_2, 2, false)
RECHUNK_SUM_TILE(sum_4, 4, false)
RECHUNK_SUM_TILE(sum_8, 8, false)
RECHUNK_SUM_TILE(sum_2_reversed, 2, true)
RECHUNK_SUM_TILE(sum_4_reversed, 4, true)
RECHUNK_SUM_TILE(sum_8_reversed, 8, true)
#undef RECHUNK_SUM_TILE

template <int kBytes, bool kReversed>
void load_row(const std::byte* data, std::int64_t stride_bytes,
              std::int64_t count, std::uint64_t* values) {
  for (std::int64_t i = 0; i < count; ++i, data += stride_bytes)
    values[i] = load<kBytes, kReversed>(data);
}

struct Kernels {
  void (*load_row[2])(const std::byte*, std::int64_t, std::int64_t,
                      std::uint64_t*);
  Digest (*sum_tile[2])(const std::byte*, std::int64_t, Keys, const KeyTable&);
};

// By the width of words, less one; plain and reversed.
constexpr Kernels kKernels[] = {
    {{load_row<1, false>, load_row<1, false>}, {sum_1, sum_1}},
    {{load_row<2, false>, load_row<2, true>}, {sum_2, sum_2_reversed}},
    {{load_row<3, false>, load_row<3, true>}, {}},
    {{load_row<4, false>, load_row<4, true>}, {sum_4, sum_4_reversed}},
    {{load_row<5, false>, load_row<5, true>}, {}},
    {{load_row<6, false>, load_row<6, true>}, {}},
    {{load_row<7, false>, load_row<7, true>}, {}},
    {{load_row<8, false>, load_row<8, true>}, {sum_8, sum_8_reversed}}};

// Asks for what comes next; hardware stops looking ahead at each page.
inline void prefetch(const std::byte* data, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(data + at);
}

using Axes = std::vector<WordAxis>;

// Calls `visit(data, number)` for each point of the first `rank` axes.
template <class Visit>
void for_each_step(const Axes& axes, std::size_t rank, const std::byte* data,
                   std::uint64_t number, Visit&& visit) {
  if (rank == 0) return visit(data, number);
  std::vector<std::int64_t> at(rank, 0);
  for (;;) {
    visit(data, number);
    std::size_t axis = rank;
    for (; axis > 0; --axis) {
      const WordAxis& moved = axes[axis - 1];
      data += moved.stride_bytes;
      number += moved.number_step;
      if (++at[axis - 1] < moved.extent) break;
      at[axis - 1] = 0;
      data -= moved.stride_bytes * moved.extent;
      number -= moved.number_step * static_cast<std::uint64_t>(moved.extent);
    }
    if (axis == 0) return;
  }
}

// The words of a box, tile by tile. A tile is a number of steps along one axis,
// and all of the axes within it.
class TileSum {
 public:
  TileSum(WordKind kind, Axes axes);
  Digest sum(const std::byte* data, std::uint64_t number);

 private:
  void choose_tile(std::int64_t bytes);
  void fill_table();
  void load(const std::byte* data, std::int64_t steps);

  const Axes axes_;
  const Kernels& kernels_;
  const bool reversed_;
  std::size_t cut_ = 0;          // The axis that tiles are steps of.
  std::int64_t steps_ = 1;       // Of a whole tile.
  std::int64_t step_words_ = 1;  // In one of them.
  bool in_place_ = false;        // Tiles have no gaps.
  KeyTable table_;
  std::uint64_t values_[kTileWords];
};

TileSum::TileSum(WordKind kind, Axes axes)
    : axes_(std::move(axes)),
      kernels_(kKernels[kind.bytes - 1]),
      reversed_(kind.reversed) {
  choose_tile(kind.bytes);
  fill_table();
}

void TileSum::choose_tile(std::int64_t bytes) {
  const bool even = kernels_.sum_tile[reversed_] != nullptr;
  in_place_ = even && axes_.back().stride_bytes == bytes;
  cut_ = axes_.size() - 1;
  while (cut_ > 0 && step_words_ * axes_[cut_].extent < kTileWords) {
    const WordAxis& inner = axes_[cut_];
    const bool gap =
        axes_[cut_ - 1].stride_bytes != inner.stride_bytes * inner.extent;
    if (gap && in_place_ && step_words_ * inner.extent >= kLongRow) break;
    in_place_ = in_place_ && !gap;
    step_words_ *= inner.extent;
    --cut_;
  }
  steps_ = std::min(axes_[cut_].extent, kTileWords / step_words_);
}

// Word by word in the order of the tile's axes.
void TileSum::fill_table() {
  std::uint64_t* const numbers = table_.lane1;
  numbers[0] = 0;
  std::int64_t count = 1;
  for (std::size_t axis = axes_.size(); axis-- > cut_;) {
    const std::int64_t extent = axis == cut_ ? steps_ : axes_[axis].extent;
    for (std::int64_t i = count; i < count * extent; ++i)
      numbers[i] = numbers[i - count] + axes_[axis].number_step;
    count *= extent;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const Keys keys = keys_of(numbers[i]);
    table_.lane1[i] = keys.lane1;
    table_.lane2[i] = keys.lane2;
  }
}

// Puts the words of a tile side by side.
void TileSum::load(const std::byte* data, std::int64_t steps) {
  const auto load_row = kernels_.load_row[reversed_];
  const WordAxis& row = axes_.back();
  const std::int64_t count = cut_ + 1 == axes_.size() ? steps : row.extent;
  Axes rows(axes_.begin() + static_cast<std::ptrdiff_t>(cut_), axes_.end());
  rows.front().extent = steps;
  std::uint64_t* values = values_;
  for_each_step(rows, rows.size() - 1, data, 0,
                [&](const std::byte* at, std::uint64_t) {
                  load_row(at, row.stride_bytes, count, values);
                  values += count;
                });
}

Digest TileSum::sum(const std::byte* data, std::uint64_t number) {
  Digest digest;
  const WordAxis& cut = axes_[cut_];
  for_each_step(
      axes_, cut_, data, number, [&](const std::byte* at, std::uint64_t first) {
        for (std::int64_t done = 0; done < cut.extent; done += steps_) {
          const std::int64_t steps = std::min(steps_, cut.extent - done);
          const Keys keys = keys_of(first + static_cast<std::uint64_t>(done) *
                                                cut.number_step);
          const std::byte* tile = at + done * cut.stride_bytes;
          if (in_place_)
            prefetch(tile + steps * cut.stride_bytes, steps * cut.stride_bytes);
          else
            load(tile, steps);
          const auto sum_tile =
              in_place_ ? kernels_.sum_tile[reversed_] : sum_8;
          digest += sum_tile(
              in_place_ ? tile : reinterpret_cast<const std::byte*>(values_),
              steps * step_words_, keys, table_);
        }
      });
  return digest;
}

}  // namespace

Digest sum_words(WordKind kind, const std::vector<WordAxis>& axes,
                 const std::byte* data, std::uint64_t number) {
  if (axes.empty()) return sum_words(kind, {{1, kind.bytes, 0}}, data, number);
  return TileSum(kind, axes).sum(data, number);
}

}  // namespace rechunk
