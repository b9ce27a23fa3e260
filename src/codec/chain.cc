#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "codec/codec.h"
#include "codec/configuration.h"
#include "codec/crc32c.h"
#include "rechunk/shape.h"

namespace rechunk {
namespace {

using Codecs = std::vector<std::shared_ptr<const Codec>>;

// A checksum behind another codec works in place: on that codec's output, or on
// a view of its input. Only the other codecs ("movers") need a buffer each.
const Crc32c* in_place_checksum(const Codecs& codecs, std::size_t index) {
  return index == 0 ? nullptr
                    : dynamic_cast<const Crc32c*>(codecs[index].get());
}

/// The buffer of a chain. It has two areas, in which the outputs of movers take
/// turns.
class Areas {
 public:
  Areas(const Codecs& codecs, std::int64_t decoded_bytes) {
    std::size_t movers = 0;
    std::int64_t bound = decoded_bytes, widest = 0;
    for (std::size_t i = 0; i < codecs.size(); ++i) {
      if (!in_place_checksum(codecs, i)) {
        ++movers;
        last_mover_ = i;
        area_bytes_ = widest;
      }
      bound = codecs[i]->max_encoded_bytes(bound);
      widest = std::max(widest, bound);
    }
    // The last mover writes to the caller's memory. The others take turns.
    count_ = std::min<std::int64_t>(static_cast<std::int64_t>(movers) - 1, 2);
  }

  std::size_t last_mover() const { return last_mover_; }
  std::int64_t total_bytes() const {
    return checked_multiply(area_bytes_, count_);
  }

  std::span<std::byte> next(std::span<std::byte> buffer) {
    const auto area_bytes = static_cast<std::size_t>(area_bytes_);
    const std::size_t start = turn_ * area_bytes;
    turn_ = (turn_ + 1) % static_cast<std::size_t>(count_);
    if (buffer.size() < start + area_bytes)
      throw Error(ErrorKind::kInternal, "codec chain: the buffer is too small");
    return buffer.subspan(start, area_bytes);
  }

 private:
  std::size_t last_mover_ = 0;
  std::int64_t area_bytes_ = 0;
  std::int64_t count_ = 0;
  std::size_t turn_ = 0;
};

std::int64_t copy_bytes(std::span<const std::byte> from,
                        std::span<std::byte> to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
  return static_cast<std::int64_t>(from.size());
}

void check_size(std::string_view codec, std::size_t decoded_bytes,
                std::size_t expected_bytes) {
  if (decoded_bytes != expected_bytes)
    throw corrupt_data(codec, fmt::format("decoded to {} bytes, expected {}",
                                          decoded_bytes, expected_bytes));
}

}  // namespace

CodecChain::CodecChain(std::vector<std::shared_ptr<const Codec>> codecs)
    : codecs_(std::move(codecs)) {}

std::int64_t CodecChain::max_encoded_bytes(std::int64_t decoded_bytes) const {
  std::int64_t bound = decoded_bytes;
  for (const auto& codec : codecs_) bound = codec->max_encoded_bytes(bound);
  return bound;
}

void CodecChain::check_decoded_bytes(std::int64_t decoded_bytes) const {
  std::int64_t bound = decoded_bytes;
  for (const auto& codec : codecs_) {
    codec->check_decoded_bytes(bound);
    bound = codec->max_encoded_bytes(bound);
  }
}

void Codec::check_decoded_bytes(std::int64_t bytes) const {
  if (bytes <= most_decoded_bytes()) return;
  throw Error(
      ErrorKind::kInvalidArgument,
      fmt::format("encoding with {}: {} bytes are more than the {} that "
                  "it can hold",
                  name(), bytes, most_decoded_bytes()),
      "choose smaller chunks or another codec, such as zstd");
}

std::int64_t CodecChain::scratch_bytes(std::int64_t decoded_bytes) const {
  std::int64_t total = buffer_bytes(decoded_bytes);
  std::int64_t bound = decoded_bytes;
  for (const auto& codec : codecs_) {
    total = checked_add(total, codec->scratch_bytes(bound));
    bound = codec->max_encoded_bytes(bound);
  }
  return total;
}

std::int64_t CodecChain::buffer_bytes(std::int64_t decoded_bytes) const {
  return codecs_.size() < 2 ? 0 : Areas(codecs_, decoded_bytes).total_bytes();
}

std::int64_t CodecChain::encode(std::span<const std::byte> decoded,
                                std::span<std::byte> encoded,
                                std::span<std::byte> buffer) const {
  if (codecs_.empty()) return copy_bytes(decoded, encoded);
  Areas areas(codecs_, static_cast<std::int64_t>(decoded.size()));
  std::span<const std::byte> bytes = decoded;
  std::span<std::byte> place;
  for (std::size_t i = 0; i < codecs_.size(); ++i) {
    std::int64_t size = 0;
    if (const Crc32c* checksum = in_place_checksum(codecs_, i)) {
      // `place` holds the bytes, and has room for the checksum behind them.
      size = checksum->seal(place, static_cast<std::int64_t>(bytes.size()));
    } else {
      place = i == areas.last_mover() ? encoded : areas.next(buffer);
      size = codecs_[i]->encode(bytes, place);
    }
    bytes = place.first(static_cast<std::size_t>(size));
  }
  return static_cast<std::int64_t>(bytes.size());
}

void CodecChain::decode(std::span<const std::byte> encoded,
                        std::span<std::byte> decoded,
                        std::span<std::byte> buffer) const {
  if (codecs_.empty()) {
    check_size("bytes", encoded.size(), decoded.size());
    copy_bytes(encoded, decoded);
    return;
  }
  Areas areas(codecs_, static_cast<std::int64_t>(decoded.size()));
  std::span<const std::byte> bytes = encoded;
  for (std::size_t i = codecs_.size(); i-- > 0;) {
    if (const Crc32c* checksum = in_place_checksum(codecs_, i)) {
      bytes = checksum->payload(bytes);
      continue;
    }
    const auto place = i == 0 ? decoded : areas.next(buffer);
    const std::int64_t size = codecs_[i]->decode(bytes, place);
    bytes = place.first(static_cast<std::size_t>(size));
  }
  check_size(codecs_.front()->name(), bytes.size(), decoded.size());
}

CodecChain CodecChain::strict() const {
  Codecs codecs = codecs_;
  for (auto& codec : codecs)
    if (auto strict = codec->strict()) codec = std::move(strict);
  return CodecChain(std::move(codecs));
}

CodecChain make_codec_chain(const std::vector<CodecSpec>& specs,
                            std::int64_t item_bytes) {
  std::vector<std::shared_ptr<const Codec>> codecs;
  for (const CodecSpec& spec : specs)
    codecs.push_back(make_codec(spec, item_bytes));
  return CodecChain(std::move(codecs));
}

}  // namespace rechunk
