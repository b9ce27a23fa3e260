// Checksums that are no codecs of v3. jenkins.cc has one of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "codec/codec.h"
#include "codec/configuration.h"

namespace rechunk {

/// Bob Jenkins' hash lookup3 (2006), as HDF5 has it: of bytes, with a seed.
std::uint32_t jenkins_lookup3(std::span<const std::byte> bytes,
                              std::uint32_t seed);

/// The crc32c of numcodecs, whose checksum may be at the start.
std::unique_ptr<Codec> make_crc32c_at(const Configuration& configuration);

}  // namespace rechunk
