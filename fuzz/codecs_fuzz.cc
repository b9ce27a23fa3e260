// Decoders and chains of them: what is encoded must decode to what it was.
#include <array>
#include <vector>

#include "codec/codec_row.h"
#include "input.h"
#include "targets.h"

namespace rechunk::fuzz {
namespace {

using Bytes = std::vector<std::byte>;

const CodecSpec kZstd{"zstd", R"({"level": 1})"};
const CodecSpec kGzip{"gzip", R"({"level": 1})"};
const CodecSpec kZlib{"numcodecs.zlib", R"({"level": 1})"};
const CodecSpec kLz4{"numcodecs.lz4", "{}"};
const CodecSpec kCrc{"crc32c", "{}"};

CodecSpec blosc(const char* compressor, const char* shuffle) {
  return {"blosc", std::string(R"({"cname": ")") + compressor +
                       R"(", "clevel": 5, "shuffle": ")" + shuffle +
                       R"(", "typesize": 4, "blocksize": 0})"};
}

using Chains = std::vector<std::vector<CodecSpec>>;

/// The seeds of make_corpora.py are for these.
Chains seeded_chains() {
  return {{},
          {blosc("lz4", "shuffle")},
          {blosc("lz4hc", "noshuffle")},
          {blosc("blosclz", "bitshuffle")},
          {blosc("zlib", "shuffle")},
          {blosc("zstd", "bitshuffle")},
          {kZstd},
          {kGzip},
          {kZlib},
          {kLz4},
          {kCrc},
          {kZstd, kCrc},
          {blosc("lz4", "shuffle"), kGzip},
          {kCrc, kZstd},
          {kLz4, kZstd, kCrc},
          {kGzip, kZlib, kLz4, kCrc}};
}

/// The place of a chain in this list is the first byte of an input. Each codec
/// of the table stands in it alone, with its defaults.
const Chains& chains() {
  static const Chains kChains = [] {
    Chains chains = seeded_chains();
    for (const CodecRow* row : codec_rows())
      if (row->native && row->kind == CodecKind::kBytesToBytes)
        chains.push_back({{std::string(row->name), "{}"}});
    return chains;
  }();
  return kChains;
}

Bytes buffer_of(std::int64_t bytes) {
  return Bytes(static_cast<std::size_t>(bytes));
}

void check_encoding(const CodecChain& chain, std::span<const std::byte> data) {
  const Bytes decoded(data.begin(), data.end());
  const auto size = static_cast<std::int64_t>(data.size());
  Bytes encoded = buffer_of(chain.max_encoded_bytes(size));
  Bytes buffer = buffer_of(chain.buffer_bytes(size));
  const std::int64_t bytes = chain.encode(decoded, encoded, buffer);
  require(bytes <= static_cast<std::int64_t>(encoded.size()),
          "encoded beyond the bound");
  encoded.resize(static_cast<std::size_t>(bytes));
  Bytes again = buffer_of(size);
  try {
    chain.decode(encoded, again, buffer);
  } catch (const Error& error) {
    throw Finding(std::string("what was encoded does not decode: ") +
                  error.what());
  }
  require(again == decoded, "what was encoded decodes to something else");
}

}  // namespace

void fuzz_codecs(std::string_view input) {
  Numbers numbers(input);
  const auto& specs = chains()[numbers.byte() % chains().size()];
  const CodecChain chain = make_codec_chain(specs, 4);
  const std::int64_t size = numbers.below(1 << 14);
  const auto data = as_bytes(numbers.rest());
  const Bytes encoded(data.begin(), data.end());
  Bytes decoded = buffer_of(size), buffer = buffer_of(chain.buffer_bytes(size));
  succeeds([&] { chain.decode(encoded, decoded, buffer); });
  check_encoding(chain, encoded);
}

}  // namespace rechunk::fuzz
