#include "base/word_sum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
// GCC 12 warns of values that its own header leaves undefined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#define RECHUNK_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#endif

namespace rechunk {
namespace {

constexpr std::uint64_t kStep1 = 0x9E3779B97F4A7C15;
constexpr std::uint64_t kStep2 = 0xD1B54A32D192ED03;
constexpr std::uint64_t kMix = 0xBF58476D1CE4E5B9;

constexpr std::int64_t kTileWords = 512;
// Rows of so many words or more are not copied together with others.
constexpr std::int64_t kLongRow = 64;

// What is mixed into a word.
struct Keys {
  std::uint64_t lane1, lane2;
};
Keys keys_of(std::uint64_t number) {
  return {number * kStep1, number * kStep2};
}

// Keys of the words of a tile, minus the key of its first word.
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

inline std::uint64_t product_of_halves(std::uint64_t x) {
  return (x & 0xFFFFFFFF) * (x >> 32);
}

// `first`: keys of the tile's first word.
template <int kBytes, bool kReversed>
Digest sum_tile(const std::byte* data, std::int64_t count, Keys first,
                const KeyTable& table, std::int64_t begin) {
  std::uint64_t lane1 = 0, lane2 = 0;
  for (std::int64_t i = begin; i < count; ++i) {
    const auto value = load<kBytes, kReversed>(data + i * kBytes);
    std::uint64_t x = value ^ (first.lane1 + table.lane1[i]);
    x = (x ^ (x >> 32)) * kMix;
    lane1 += product_of_halves(x);
    lane2 += product_of_halves(x ^ (first.lane2 + table.lane2[i]));
  }
  return {{lane1, lane2}};
}

template <int kBytes, bool kReversed>
Digest sum_portably(const std::byte* data, std::int64_t count, Keys first,
                    const KeyTable& table) {
  return sum_tile<kBytes, kReversed>(data, count, first, table, 0);
}

#if defined(__x86_64__)

// Eight words, each in 64 bits.
template <int kBytes, bool kReversed>
RECHUNK_AVX512 inline __m512i load_8(const std::byte* data) {
  if constexpr (kReversed) {
    const __m512i words = load_8<kBytes, false>(data);
    alignas(64) char order[64];
    for (int i = 0; i < 64; ++i)
      order[i] = static_cast<char>(
          i % 8 < kBytes ? i / 8 * 8 + kBytes - 1 - i % 8 : i);
    return _mm512_shuffle_epi8(words, _mm512_load_si512(order));
  } else if constexpr (kBytes == 1) {
    return _mm512_cvtepu8_epi64(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(data)));
  } else if constexpr (kBytes == 2) {
    return _mm512_cvtepu16_epi64(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(data)));
  } else if constexpr (kBytes == 4) {
    return _mm512_cvtepu32_epi64(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data)));
  } else {
    return _mm512_loadu_si512(data);
  }
}

// The multiplier takes the lower halves, so the upper ones are moved there.
RECHUNK_AVX512 inline __m512i upper_halves(__m512i x) {
  return _mm512_shuffle_epi32(x, _MM_PERM_DDBB);
}

template <int kBytes, bool kReversed>
RECHUNK_AVX512 Digest sum_by_avx512(const std::byte* data, std::int64_t count,
                                    Keys first, const KeyTable& table) {
  const __m512i first1 = _mm512_set1_epi64(static_cast<long long>(first.lane1));
  const __m512i first2 = _mm512_set1_epi64(static_cast<long long>(first.lane2));
  const __m512i mix = _mm512_set1_epi64(static_cast<long long>(kMix));
  constexpr __mmask16 kLower = 0x5555;
  __m512i lane1 = _mm512_setzero_si512(), lane2 = lane1;
  std::int64_t i = 0;
#pragma GCC unroll 4
  for (; i + 8 <= count; i += 8) {
    const __m512i key1 =
        _mm512_add_epi64(first1, _mm512_loadu_si512(table.lane1 + i));
    const __m512i key2 =
        _mm512_add_epi64(first2, _mm512_loadu_si512(table.lane2 + i));
    __m512i x =
        _mm512_xor_si512(load_8<kBytes, kReversed>(data + i * kBytes), key1);
    x = _mm512_xor_si512(x,
                         _mm512_maskz_shuffle_epi32(kLower, x, _MM_PERM_DDBB));
    x = _mm512_mullo_epi64(x, mix);
    const __m512i y = _mm512_xor_si512(x, key2);
    lane1 = _mm512_add_epi64(lane1, _mm512_mul_epu32(x, upper_halves(x)));
    lane2 = _mm512_add_epi64(lane2, _mm512_mul_epu32(y, upper_halves(y)));
  }
  Digest digest = sum_tile<kBytes, kReversed>(data, count, first, table, i);
  alignas(64) std::uint64_t lanes[2][8];
  _mm512_store_si512(lanes[0], lane1);
  _mm512_store_si512(lanes[1], lane2);
  for (int lane = 0; lane < 2; ++lane)
    for (const std::uint64_t part : lanes[lane]) digest.lanes[lane] += part;
  return digest;
}

#endif

template <int kBytes, bool kReversed>
void load_row(const std::byte* data, std::int64_t stride_bytes,
              std::int64_t count, std::uint64_t* values) {
  for (std::int64_t i = 0; i < count; ++i, data += stride_bytes)
    values[i] = load<kBytes, kReversed>(data);
}

struct Kernels {
  using LoadRow = void (*)(const std::byte*, std::int64_t, std::int64_t,
                           std::uint64_t*);
  using SumTile = Digest (*)(const std::byte*, std::int64_t, Keys,
                             const KeyTable&);
  LoadRow load_row[2];  ///< Plain and reversed.
  SumTile sum_tile[2];  ///< nullptr for odd widths.
};

template <int kBytes, bool kReversed>
Kernels::SumTile sum_tile_of() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return sum_by_avx512<kBytes, kReversed>;
#endif
  return sum_portably<kBytes, kReversed>;
}

template <int kBytes>
Kernels kernels_of() {
  Kernels kernels{{load_row<kBytes, false>, load_row<kBytes, true>}, {}};
  if constexpr (std::has_single_bit(unsigned{kBytes})) {
    kernels.sum_tile[0] = sum_tile_of<kBytes, false>();
    kernels.sum_tile[1] = sum_tile_of<kBytes, true>();
  }
  return kernels;
}

const Kernels& kernels_for(std::int64_t bytes) {
  static const Kernels kKernels[] = {
      kernels_of<1>(), kernels_of<2>(), kernels_of<3>(), kernels_of<4>(),
      kernels_of<5>(), kernels_of<6>(), kernels_of<7>(), kernels_of<8>()};
  return kKernels[bytes - 1];
}

// Hardware stops looking ahead at each page, so this asks for what comes next.
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
      kernels_(kernels_for(kind.bytes)),
      reversed_(kind.reversed) {
  choose_tile(kind.bytes);
  fill_table();
}

// Takes axes into the tile, from the innermost outwards, until it is full.
void TileSum::choose_tile(std::int64_t bytes) {
  const bool even = kernels_.sum_tile[reversed_] != nullptr;
  in_place_ = even && axes_.back().stride_bytes == bytes;
  cut_ = axes_.size() - 1;
  while (cut_ > 0 && step_words_ * axes_[cut_].extent < kTileWords) {
    const WordAxis& inner = axes_[cut_];
    const bool gap =
        axes_[cut_ - 1].stride_bytes != inner.stride_bytes * inner.extent;
    // Long rows are summed where they lie. Only short ones are copied together.
    if (gap && in_place_ && step_words_ * inner.extent >= kLongRow) break;
    in_place_ = in_place_ && !gap;
    step_words_ *= inner.extent;
    --cut_;
  }
  steps_ = std::min(axes_[cut_].extent, kTileWords / step_words_);
}

// Word by word in the order of the tile's axes.
void TileSum::fill_table() {
  // The numbers stand here until keys are made of them.
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
  // The last tile along the cut may have fewer steps.
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
          // `load` has made words of 8 bytes.
          const auto sum_tile = in_place_ ? kernels_.sum_tile[reversed_]
                                          : kernels_for(8).sum_tile[0];
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
