// The one table of codecs: the files that define their rows. The suites of
// codec_test.cc and table_test.cc, and the fuzz targets, take all of them.
#pragma once

#include <span>

#include "codec/codec_row.h"

namespace rechunk {

using CodecRows = std::span<const CodecRow>;

CodecRows zstd_codecs();      // zstd.cc
CodecRows blosc_codecs();     // blosc.cc
CodecRows deflate_codecs();   // deflate.cc: gzip, zlib
CodecRows lz4_codecs();       // lz4.cc
CodecRows bz2_codecs();       // bz2.cc
CodecRows lzma_codecs();      // lzma.cc
CodecRows filter_codecs();    // filters.cc: numbers to numbers
CodecRows packbits_codecs();  // packbits.cc
CodecRows shuffle_codecs();   // shuffle.cc
CodecRows crc32c_codecs();    // crc32c.cc
CodecRows checksum_codecs();  // checksums.cc: those of numcodecs
CodecRows named_codecs();     // named.cc: codecs that rechunk cannot decode

/// Messages name codecs in this order.
inline constexpr CodecRows (*kCodecFiles[])() = {
    zstd_codecs,    blosc_codecs,  deflate_codecs,  lz4_codecs,
    bz2_codecs,     lzma_codecs,   filter_codecs,   packbits_codecs,
    shuffle_codecs, crc32c_codecs, checksum_codecs, named_codecs};

}  // namespace rechunk
