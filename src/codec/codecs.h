// One factory per codec; table.cc gives them their names.
#pragma once

#include <cstdint>
#include <memory>

#include "codec/codec.h"
#include "codec/configuration.h"

namespace rechunk {

/// Makes a codec for elements of `item_bytes`. Throws: as make_codec.
using CodecFactory = std::unique_ptr<Codec> (*)(const Configuration&,
                                                std::int64_t item_bytes);

/// c-blosc 1 buffers; at most 2^31 - 17 bytes each.
std::unique_ptr<Codec> make_blosc(const Configuration&, std::int64_t);

/// zstd frames. The first refuses levels above 22, as Zarr v3 does; the second
/// clips them, as numcodecs does.
std::unique_ptr<Codec> make_zstd(const Configuration&, std::int64_t);
std::unique_ptr<Codec> make_numcodecs_zstd(const Configuration&, std::int64_t);

/// RFC 1952, several members too, and RFC 1950. Level -1 is 6.
std::unique_ptr<Codec> make_gzip(const Configuration&, std::int64_t);
std::unique_ptr<Codec> make_zlib(const Configuration&, std::int64_t);

/// numcodecs' form: u32 little-endian size, then one LZ4 block.
std::unique_ptr<Codec> make_lz4(const Configuration&, std::int64_t);

/// The bytes, then their CRC-32C, little-endian.
std::unique_ptr<Codec> make_crc32c(const Configuration&, std::int64_t);

}  // namespace rechunk
