#include "zarr/elements/float_format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace rechunk {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Doubles of all magnitudes, many of them near the range of a float.
double random_double(std::mt19937_64& random) {
  if (random() % 2) return std::bit_cast<double>(random());
  const double mantissa =
      std::bit_cast<double>((random() >> 12) | 0x3ffull << 52);
  return std::ldexp(mantissa, static_cast<int>(random() % 330) - 170);
}

TEST(FloatFormat, WideFormatsAgreeWithTheProcessor) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    const double value = random_double(random);
    if (std::isnan(value)) continue;
    EXPECT_EQ(float_bits("float64", value),
              std::bit_cast<std::uint64_t>(value));
    EXPECT_EQ(float_bits("float32", value),
              std::bit_cast<std::uint32_t>(static_cast<float>(value)))
        << value;
  }
}

TEST(FloatFormat, EveryPatternOfANarrowFormatSurvivesTheWayThereAndBack) {
  for (const char* name :
       {"float16", "bfloat16", "float8_e3m4", "float8_e4m3", "float8_e5m2",
        "float8_e4m3fn", "float8_e4m3b11fnuz", "float8_e4m3fnuz",
        "float8_e5m2fnuz", "float8_e8m0fnu"}) {
    const std::uint64_t count = 1ull << (8 * float_bytes(name));
    for (std::uint64_t bits = 0; bits < count; ++bits) {
      const double value = float_value(name, bits);
      if (!std::isnan(value)) {
        ASSERT_EQ(float_bits(name, value), bits) << name;
      }
    }
  }
}

TEST(FloatFormat, HalvesRoundToTheNearestTiesToEven) {
  EXPECT_EQ(float_bits("float16", 0.1), 0x2e66u);
  EXPECT_EQ(float_bits("float16", 65504), 0x7bffu);
  EXPECT_EQ(float_bits("float16", 65519.99), 0x7bffu);
  EXPECT_EQ(float_bits("float16", 65520), 0x7c00u);
  EXPECT_EQ(float_bits("float16", 0x1p-25), 0u);
  EXPECT_EQ(float_bits("float16", 0x1.8p-24), 2u);
  EXPECT_EQ(float_bits("bfloat16", 1.00390625), 0x3f80u);
  EXPECT_EQ(float_bits("bfloat16", -0.0), 0x8000u);
}

TEST(FloatFormat, SpecialValuesAreThoseOfTheFormat) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(float_bits("float32", nan), 0x7fc00000u);
  EXPECT_EQ(float_bits("float64", nan), 0x7ff8000000000000u);
  EXPECT_EQ(float_bits("float16", -kInfinity), 0xfc00u);
  EXPECT_EQ(float_bits("float8_e4m3fn", nan), 0x7fu);
  EXPECT_EQ(float_bits("float8_e4m3fn", kInfinity), std::nullopt);
  EXPECT_EQ(float_bits("float8_e5m2fnuz", nan), 0x80u);
  EXPECT_EQ(float_bits("float8_e8m0fnu", nan), 0xffu);
  EXPECT_EQ(float_bits("float8_e8m0fnu", 0), std::nullopt);
  EXPECT_EQ(float_bits("float4_e2m1fn", 6), 7u);
  EXPECT_EQ(float_bits("float4_e2m1fn", nan), std::nullopt);
  EXPECT_EQ(float_bits("float8_e5m2", 0.3), std::nullopt);
  EXPECT_EQ(float_bytes("float128"), 0);
}

}  // namespace
}  // namespace rechunk
