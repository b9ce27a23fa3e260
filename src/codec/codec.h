// The Codec seam: bytes to bytes, as in Zarr v2 compressors and the
// bytes -> bytes codecs of Zarr v3. Codecs that change the layout of elements
// (bytes, transpose, sharding_indexed) belong to zarr/.
//
// A codec is immutable and may be used by many threads at once; what a call
// needs beyond its arguments it takes from per-thread contexts or from the
// heap, and tells by `scratch_bytes`, so that a task can reserve it first.
// Parts: a file per codec (codecs.h), table.cc, chain.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rechunk {

class Codec {
 public:
  virtual ~Codec() = default;

  /// What messages call it: "zstd".
  virtual std::string_view name() const { return "codec"; }

  /// The most bytes that `encode` accepts: the limit of the format.
  virtual std::int64_t most_decoded_bytes() const {
    return std::numeric_limits<std::int64_t>::max();
  }

  /// Throws: invalid_argument (`encode` does not take that many).
  virtual void check_decoded_bytes(std::int64_t bytes) const;

  /// Upper bound of the encoded size of that many bytes.
  virtual std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const = 0;

  /// Upper bound of the heap that one encode or decode of a buffer of that
  /// many decoded bytes takes beyond the two buffers.
  virtual std::int64_t scratch_bytes(std::int64_t decoded_bytes) const = 0;

  /// Encodes into `encoded`, which holds at least `max_encoded_bytes`; returns
  /// the encoded size. Throws: invalid_argument (more than the format holds).
  virtual std::int64_t encode(std::span<const std::byte> decoded,
                              std::span<std::byte> encoded) const = 0;

  /// Decodes into `decoded`; returns the decoded size, at most its size.
  /// Throws: corrupt (not of this format, damaged, or longer than `decoded`).
  virtual std::int64_t decode(std::span<const std::byte> encoded,
                              std::span<std::byte> decoded) const = 0;

  /// A codec that also refuses data that other libraries of the format refuse;
  /// this takes longer. nullptr if this codec already does.
  virtual std::shared_ptr<const Codec> strict() const { return nullptr; }
};

/// What metadata says of a codec, in the names and values of Zarr v3:
/// {"name": "blosc", "configuration": {"cname": "lz4", ...}}. Codecs that only
/// v2 knows keep their numcodecs id with the prefix "numcodecs." (lz4, zlib).
struct CodecSpec {
  std::string name;
  std::string configuration;  ///< JSON object text; "{}" if there is none.
};

/// The input and output of a codec. For kUnknown codecs their position in the
/// list decides.
enum class CodecKind {
  kArrayToArray,
  kArrayToBytes,
  kBytesToBytes,
  kUnknown,
};
CodecKind codec_kind(std::string_view name);

/// Nanoseconds per decoded byte on one thread, and the size of encoded data.
struct CodecCosts {
  double decode_ns = 0;
  double encode_ns = 0;
  double stored_ratio = 1;  ///< Stored bytes per decoded byte.
};

/// The cost of a codec, by name and level. It was measured on floats of medium
/// noise, so for most data it is right within a factor of two. Codecs that
/// `make_codec` does not know cost nothing. Throws: as make_codec.
CodecCosts costs_of(const CodecSpec& spec);

/// Makes the codec that `spec` describes; `item_bytes` is the element size,
/// which blosc takes where its configuration names no typesize.
/// Throws: unsupported (rechunk has no such codec; the hint says what works),
/// invalid_argument (a configuration value out of range).
std::unique_ptr<Codec> make_codec(const CodecSpec& spec,
                                  std::int64_t item_bytes);

/// True if `make_codec` knows the name.
bool is_known_codec(std::string_view name);

/// A hint for errors about arrays that rechunk cannot decode.
inline constexpr const char* kUndecodableHint =
    "zarr-python may decode it: from Python, give rechunk() a dask array of "
    "dask.array.from_zarr, or a dataset; else such an array can only be moved "
    "as stored: with the chunks and codecs that it has";

/// Codecs applied one after the other; encoding runs first to last.
class CodecChain {
 public:
  CodecChain() = default;
  explicit CodecChain(std::vector<std::shared_ptr<const Codec>> codecs);

  bool empty() const { return codecs_.empty(); }
  std::int64_t max_encoded_bytes(std::int64_t decoded_bytes) const;

  /// Checks that each codec accepts the sizes that it may get when that many
  /// bytes are encoded. Throws: invalid_argument (names the codec and its
  /// limit).
  void check_decoded_bytes(std::int64_t decoded_bytes) const;

  /// Heap that the codecs take, plus `buffer_bytes`.
  std::int64_t scratch_bytes(std::int64_t decoded_bytes) const;

  /// Size of the `buffer` for `encode` and `decode`: 0 for fewer than two
  /// codecs, else room for the data between them.
  std::int64_t buffer_bytes(std::int64_t decoded_bytes) const;

  /// As Codec::encode. An empty chain copies.
  std::int64_t encode(std::span<const std::byte> decoded,
                      std::span<std::byte> encoded,
                      std::span<std::byte> buffer) const;

  /// Decodes to exactly `decoded.size()` bytes.
  /// Throws: corrupt (also if the decoded size differs).
  void decode(std::span<const std::byte> encoded, std::span<std::byte> decoded,
              std::span<std::byte> buffer) const;

  /// As Codec::strict, of each of its codecs.
  CodecChain strict() const;

 private:
  std::vector<std::shared_ptr<const Codec>> codecs_;
};

/// Makes a chain. Throws: as make_codec.
CodecChain make_codec_chain(const std::vector<CodecSpec>& specs,
                            std::int64_t item_bytes);

}  // namespace rechunk
