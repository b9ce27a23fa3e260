#include "exec/coded_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr std::int64_t kBlockBytes = 128 << 10;  // Of the codec.

template <class Integer>
void put_little(std::byte* to, Integer value) {
  for (std::size_t byte = 0; byte < sizeof value; ++byte)
    to[byte] = static_cast<std::byte>(value >> (8 * byte));
}

template <class Integer>
Integer get_little(const std::byte* from) {
  Integer value = 0;
  for (std::size_t byte = 0; byte < sizeof value; ++byte)
    value |= static_cast<Integer>(std::to_integer<Integer>(from[byte])
                                  << (8 * byte));
  return value;
}

}  // namespace

CodecChain make_light_codec(std::int64_t item_bytes) {
  return make_codec_chain(
      {{"blosc", fmt::format(R"({{"cname": "lz4", "clevel": 5, )"
                             R"("shuffle": "shuffle", "blocksize": {}}})",
                             kBlockBytes)}},
      item_bytes);
}

CodedObjectWriter::CodedObjectWriter(const CodecChain& codec,
                                     const CodedLayout& layout,
                                     std::int64_t largest_piece_bytes,
                                     std::unique_ptr<ObjectWriter> object,
                                     Arena& arena)
    : codec_(codec),
      layout_(layout),
      object_(std::move(object)),
      header_(arena.take(layout.header_bytes())),
      buffer_(arena.take(CodedLayout::kBatchBytes +
                         CodedLayout::encoded_capacity(largest_piece_bytes))),
      written_(layout.header_bytes()) {}

void CodedObjectWriter::begin_range() {
  put_little(header_.data() + layout_.offset_at(ranges_++),
             static_cast<std::uint64_t>(written_));
}

void CodedObjectWriter::append(std::span<const std::byte> piece) {
  // The buffer holds a batch and one more piece, so the next piece always fits.
  if (filled_ >= static_cast<std::size_t>(CodedLayout::kBatchBytes)) flush();
  const std::int64_t bytes = codec_.encode(piece, buffer_.subspan(filled_), {});
  put_little(header_.data() + layout_.size_at(pieces_++),
             static_cast<std::uint32_t>(bytes));
  filled_ += static_cast<std::size_t>(bytes);
  written_ += bytes;
}

void CodedObjectWriter::flush() {
  object_->append(buffer_.first(filled_));
  filled_ = 0;
}

std::int64_t CodedObjectWriter::finish(std::int64_t raw_bytes) {
  // Readers see by the size whether an object is coded. So it must be smaller.
  if (written_ >= raw_bytes) return 0;
  flush();
  object_->commit(header_);
  return written_;
}

CodedRangeReader::CodedRangeReader(const Store& store, const std::string& key,
                                   const CodedLayout& layout,
                                   const Shape& block, std::int64_t pieces,
                                   Arena& arena)
    : store_(store),
      key_(key),
      layout_(layout),
      arena_(arena),
      sizes_(arena.take(CodedLayout::kSizeBytes *
                        std::min(pieces, CodedLayout::kBatchPieces))),
      piece_(layout.first_piece(block)),
      stop_(piece_ + pieces),
      sizes_first_(piece_),
      sizes_stop_(piece_) {
  std::byte offset[CodedLayout::kOffsetBytes] = {};
  ReadRequest requests[2] = {
      {.key = key,
       .offset = layout.offset_at(layout.range_index(block)),
       .destination = {offset}},
      {.key = key, .offset = layout.size_at(piece_), .destination = {sizes_}}};
  // If the object is not coded, these are bytes of something else. The caller
  // looks at the size first.
  store_.read_all(requests);
  found_ = requests[0].found && requests[1].found;
  object_bytes_ = requests[0].object_bytes;
  bytes_read_ = requests[0].bytes_read + requests[1].bytes_read;
  offset_ = static_cast<std::int64_t>(get_little<std::uint64_t>(offset));
  sizes_stop_ = piece_ + std::min(pieces, CodedLayout::kBatchPieces);
}

std::int64_t CodedRangeReader::size_of(std::int64_t piece) const {
  return get_little<std::uint32_t>(sizes_.data() + CodedLayout::kSizeBytes *
                                                       (piece - sizes_first_));
}

// A task that runs twice may write the object in the other form while it is
// read. Then its size differs.
void CodedRangeReader::read(std::span<ReadRequest> requests) {
  store_.read_all(requests);
  for (const ReadRequest& request : requests) {
    std::int64_t wanted = 0;
    for (const auto& part : request.destination)
      wanted += static_cast<std::int64_t>(part.size());
    bytes_read_ += request.bytes_read;
    if (!request.found || request.object_bytes != object_bytes_)
      throw Error(ErrorKind::kIo, "it was replaced while it was read")
          .set_retryable(true);
    if (request.bytes_read != wanted)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("it holds {} bytes, wanted are {} at {}",
                              object_bytes_, wanted, request.offset));
  }
}

void CodedRangeReader::read_sizes() {
  const std::int64_t count =
      std::min(stop_ - piece_, CodedLayout::kBatchPieces);
  ReadRequest request{.key = key_,
                      .offset = layout_.size_at(piece_),
                      .destination = {sizes_.first(static_cast<std::size_t>(
                          CodedLayout::kSizeBytes * count))}};
  read({&request, 1});
  sizes_first_ = piece_;
  sizes_stop_ = piece_ + count;
}

// Reads as many of the next pieces as a batch holds, but at least one.
void CodedRangeReader::read_pieces(std::int64_t most_bytes) {
  std::int64_t bytes = size_of(piece_);
  // The buffer below holds no larger piece.
  if (bytes > CodedLayout::encoded_capacity(most_bytes) || offset_ < 0)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("a piece of {} bytes at {}", bytes, offset_));
  for (std::int64_t piece = piece_ + 1; piece < sizes_stop_; ++piece) {
    if (bytes + size_of(piece) > CodedLayout::kBatchBytes) break;
    bytes += size_of(piece);
  }
  if (buffer_.empty())
    buffer_ = arena_.take(std::max(CodedLayout::kBatchBytes,
                                   CodedLayout::encoded_capacity(most_bytes)));
  at_ = 0;
  end_ = static_cast<std::size_t>(bytes);
  ReadRequest request{
      .key = key_, .offset = offset_, .destination = {buffer_.first(end_)}};
  read({&request, 1});
  offset_ += bytes;
}

std::span<const std::byte> CodedRangeReader::next(std::int64_t most_bytes) {
  if (piece_ == sizes_stop_) read_sizes();
  if (at_ == end_) read_pieces(most_bytes);
  const auto bytes = static_cast<std::size_t>(size_of(piece_));
  if (bytes > end_ - at_)
    throw Error(ErrorKind::kCorrupt, "sizes of its pieces do not fit");
  const std::span<const std::byte> piece = buffer_.subspan(at_, bytes);
  at_ += bytes;
  ++piece_;
  return piece;
}

}  // namespace rechunk
