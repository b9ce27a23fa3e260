// Filters of numcodecs from numbers to numbers. They work on the bytes of one
// chunk, whose numbers have the types that the filter's configuration names.
//
// Some lose precision. What was lost once is not lost again: an array that is
// rechunked has only elements that its filter has made, and these are encoded
// so that they decode to the same bits, or not at all.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "codec/codecs.h"
#include "codec/number_type.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

/// `what`: "delta of bool".
[[noreturn]] void cannot_decode(const std::string& what) {
  throw Error(ErrorKind::kUnsupported,
              fmt::format("codec {}: rechunk cannot decode it yet", what),
              kUndecodableHint);
}

/// The types of decoded and encoded numbers.
struct Types {
  NumberType decoded, encoded;
};

Types types_of(std::string_view codec, const Configuration& configuration,
               const char* decoded_key, const char* encoded_key) {
  const std::string decoded = configuration.text(decoded_key, "");
  const std::string encoded = configuration.text(encoded_key, decoded);
  const auto from = parse_number_type(decoded), to = parse_number_type(encoded);
  if (!from || !to)
    cannot_decode(
        fmt::format("{} with types {} and {}", codec, decoded, encoded));
  return {*from, *to};
}

/// A filter whose numbers do not depend on each other, or only on the one
/// before. `Kernel` is a template with `decoder<D, E>()` and
/// `encoder<D, E>()`, objects that take one number after the other.
template <typename Kernel>
class Filter final : public Codec {
 public:
  Filter(std::string_view name, const Types& types, Kernel kernel)
      : name_(name), types_(types), kernel_(kernel) {}

  std::string_view name() const override { return name_; }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    return checked_multiply(decoded_bytes / types_.decoded.bytes,
                            types_.encoded.bytes);
  }
  std::int64_t scratch_bytes(std::int64_t) const override { return 0; }

  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override {
    const std::int64_t count = count_in(decoded, types_.decoded);
    with_types([&](auto d, auto e) {
      encode_as<decltype(d), decltype(e)>(decoded.data(), encoded.data(),
                                          count);
    });
    return count * types_.encoded.bytes;
  }

  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override {
    const std::int64_t count = count_in(encoded, types_.encoded);
    check_fits(name_, static_cast<std::uint64_t>(count * types_.decoded.bytes),
               decoded.size());
    with_types([&](auto d, auto e) {
      decode_as<decltype(d), decltype(e)>(encoded.data(), decoded.data(),
                                          count);
    });
    return count * types_.decoded.bytes;
  }

 private:
  template <typename Use>
  void with_types(Use&& use) const {
    with_type(types_.decoded, [&](auto d) {
      with_type(types_.encoded, [&](auto e) { use(d, e); });
    });
  }

  std::int64_t count_in(std::span<const std::byte> bytes,
                        const NumberType& type) const {
    const auto size = static_cast<std::int64_t>(bytes.size());
    if (size % type.bytes != 0)
      throw corrupt_data(name_, fmt::format("{} bytes are no numbers of {}",
                                            size, type.bytes));
    return size / type.bytes;
  }

  template <typename D, typename E>
  void decode_as(const std::byte* from, std::byte* to,
                 std::int64_t count) const {
    auto decoder = kernel_.template decoder<D, E>();
    for (std::int64_t i = 0; i < count; ++i)
      store<D>(
          decoder(load<E>(from + i * sizeof(E), types_.encoded.is_swapped)),
          to + i * sizeof(D), types_.decoded.is_swapped);
  }

  template <typename D, typename E>
  void encode_as(const std::byte* from, std::byte* to,
                 std::int64_t count) const {
    auto encoder = kernel_.template encoder<D, E>();
    auto decoder = kernel_.template decoder<D, E>();
    for (std::int64_t i = 0; i < count; ++i) {
      const D number = load<D>(from + i * sizeof(D), types_.decoded.is_swapped);
      const std::optional<E> code = encoder(number);
      const auto again = code ? std::optional<D>(decoder(*code)) : std::nullopt;
      if (!again || std::memcmp(&*again, &number, sizeof number) != 0)
        throw Error(ErrorKind::kInvalidArgument,
                    fmt::format("encoding with {}: it would change element {} "
                                "of the chunk, {}",
                                name_, i, number),
                    "this filter holds only some numbers; choose other codecs "
                    "for the target");
      store<E>(*code, to + i * sizeof(E), types_.encoded.is_swapped);
    }
  }

  const std::string_view name_;
  const Types types_;
  const Kernel kernel_;
};

/// The first number, then differences; they wrap around.
struct Delta {
  template <typename D, typename E>
  struct Encoder {
    std::make_unsigned_t<D> before = 0;
    std::optional<E> operator()(D number) {
      const auto now = static_cast<std::make_unsigned_t<D>>(number);
      return static_cast<E>(static_cast<D>(now - std::exchange(before, now)));
    }
  };
  template <typename D, typename E>
  struct Decoder {
    std::make_unsigned_t<D> sum = 0;
    D operator()(E code) {
      sum += static_cast<std::make_unsigned_t<D>>(static_cast<D>(code));
      return static_cast<D>(sum);
    }
  };
  template <typename D, typename E>
  auto encoder() const {
    if constexpr (std::integral<D> && std::integral<E>)
      return Encoder<D, E>();
    else
      return [](D) { return std::optional<E>(); };  // See make_delta.
  }
  template <typename D, typename E>
  auto decoder() const {
    if constexpr (std::integral<D> && std::integral<E>)
      return Decoder<D, E>();
    else
      return [](E) { return D(); };
  }
};

/// code = round((number - offset) * scale).
struct FixedScaleOffset {
  double scale = 1, offset = 0;

  // As numpy computes it: integers become doubles.
  template <typename D, typename E>
  auto decoder() const {
    using Real = std::conditional_t<std::same_as<E, float>, float, double>;
    const auto by = static_cast<Real>(scale), from = static_cast<Real>(offset);
    return [by, from](E code) {
      const Real value = static_cast<Real>(code) / by + from;
      return cast<D>(value).value_or(D());
    };
  }
  // A neighbour may be the code that a number came from.
  template <typename D, typename E>
  auto encoder() const {
    return [decode = decoder<D, E>(), *this](D number) -> std::optional<E> {
      const double exact =
          std::rint((static_cast<double>(number) - offset) * scale);
      std::optional<E> best;
      for (const double code : {exact, exact - 1, exact + 1}) {
        const auto casted = cast<E>(code);
        if (!casted) continue;
        const D again = decode(*casted);
        if (std::memcmp(&again, &number, sizeof number) == 0) return casted;
        if (!best) best = casted;
      }
      return best;
    };
  }
};

/// Numbers as another type, or as the same.
struct AsType {
  template <typename D, typename E>
  auto decoder() const {
    return [](E code) { return cast<D>(code).value_or(D()); };
  }
  template <typename D, typename E>
  auto encoder() const {
    return [](D number) { return cast<E>(number); };
  }
};

std::unique_ptr<Codec> make_delta(const Configuration& configuration,
                                  std::int64_t) {
  const Types types = types_of("delta", configuration, "dtype", "astype");
  // Sums of floats depend on where a chunk begins; those of bool are lost.
  if (types.decoded.kind == 'f' || types.encoded.kind == 'f')
    cannot_decode("delta of floating-point numbers");
  if (configuration.text("dtype", "").ends_with("b1"))
    cannot_decode("delta of bool");
  return std::make_unique<Filter<Delta>>("delta", types, Delta());
}

std::unique_ptr<Codec> make_fixedscaleoffset(const Configuration& configuration,
                                             std::int64_t) {
  const Types types =
      types_of("fixedscaleoffset", configuration, "dtype", "astype");
  return std::make_unique<Filter<FixedScaleOffset>>(
      "fixedscaleoffset", types,
      FixedScaleOffset{configuration.number("scale", 1),
                       configuration.number("offset", 0)});
}

std::unique_ptr<Codec> make_astype(const Configuration& configuration,
                                   std::int64_t) {
  return std::make_unique<Filter<AsType>>(
      "astype",
      types_of("astype", configuration, "decode_dtype", "encode_dtype"),
      AsType());
}

// Rounded numbers are stored as they are.
std::unique_ptr<Codec> make_quantize(const Configuration& configuration,
                                     std::int64_t) {
  return std::make_unique<Filter<AsType>>(
      "quantize", types_of("quantize", configuration, "dtype", "astype"),
      AsType());
}

/// Bytes as they are.
class Same final : public Codec {
 public:
  explicit Same(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const override {
    return decoded_bytes;
  }
  std::int64_t scratch_bytes(std::int64_t) const override { return 0; }
  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded) const override {
    return copy(decoded, encoded);
  }
  std::int64_t decode(std::span<const std::byte> encoded,
                      std::span<std::byte> decoded) const override {
    check_fits(name_, encoded.size(), decoded.size());
    return copy(encoded, decoded);
  }

 private:
  static std::int64_t copy(std::span<const std::byte> from,
                           std::span<std::byte> to) {
    if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
    return static_cast<std::int64_t>(from.size());
  }
  const std::string_view name_;
};

std::unique_ptr<Codec> make_bitround(const Configuration&, std::int64_t) {
  return std::make_unique<Same>("bitround");
}

CodecCosts filter_costs(const Configuration&) { return {0.3, 0.5, 1}; }

using Value = CodecMember::Value;

constexpr CodecMember type(std::string_view key, bool nullable = false) {
  return {.key = key, .value = Value::kText, .nullable = nullable};
}

constexpr CodecMember kTypes[] = {type("dtype"), type("astype", true)};
constexpr CodecMember kAsType[] = {type("encode_dtype"), type("decode_dtype")};
constexpr CodecMember kScaleOffset[] = {
    {.key = "offset", .value = Value::kNumber},
    {.key = "scale", .value = Value::kNumber},
    type("dtype"),
    type("astype", true)};
constexpr CodecMember kDigits[] = {{.key = "digits",
                                    .value = Value::kInteger,
                                    .min = INT32_MIN,
                                    .max = INT32_MAX},
                                   type("dtype"),
                                   type("astype", true)};
constexpr CodecMember kKeepBits[] = {
    {.key = "keepbits", .value = Value::kInteger, .min = 0, .max = 64}};

constexpr CodecRow filter_row(
    std::string_view name,
    std::unique_ptr<Codec> (&make)(const Configuration&, std::int64_t),
    CodecMembers members) {
  return {.name = name,
          .kind = CodecKind::kArrayToArray,
          .native = NativeCodec{make, filter_costs},
          .members = members};
}

constexpr CodecRow kFilterRows[] = {
    filter_row("numcodecs.delta", make_delta, kTypes),
    filter_row("numcodecs.fixedscaleoffset", make_fixedscaleoffset,
               kScaleOffset),
    filter_row("numcodecs.astype", make_astype, kAsType),
    filter_row("numcodecs.quantize", make_quantize, kDigits),
    filter_row("numcodecs.bitround", make_bitround, kKeepBits),
};

}  // namespace

CodecRows filter_codecs() { return kFilterRows; }

}  // namespace rechunk
