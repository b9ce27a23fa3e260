#include "measure/chunk_sampler.h"

#include <algorithm>

#include "exec/block.h"
#include "exec/coded_object.h"
#include "measure/stopwatch.h"

namespace rechunk {
namespace {

// Short chunks are encoded again and again, as in a run.
constexpr std::size_t kEncodedBytes = 256 << 10;
// Of a chunk, to learn how small intermediates get.
constexpr std::int64_t kLightBytes = 1 << 20;

}  // namespace

ChunkSampler::ChunkSampler(const std::shared_ptr<Store>& store,
                           const std::string& path, const ArrayMetadata& source,
                           const ArrayMetadata& target)
    : source_(std::make_shared<const ArrayLayout>(make_layout(source))),
      target_(make_layout(target)),
      light_codec_(make_light_codec(target_.item_bytes)),
      reader_(store, path, source_, target_.scalars),
      chunks_(source_->shape, source_->chunk_shape) {}

std::int64_t ChunkSampler::memory_bytes() const {
  const std::int64_t chunk = source_->chunk_bytes();
  return MemoryBudget::aligned(
      8 * MemoryBudget::kAlignment + chunk +
      ArrayReader::unit_scratch_bytes(*source_) +
      ArrayReader::object_scratch_bytes(*source_) +
      std::max(target_.codecs.max_encoded_bytes(chunk),
               light_codec_.max_encoded_bytes(std::min(chunk, kLightBytes))) +
      target_.codecs.scratch_bytes(chunk));
}

bool ChunkSampler::is_there(std::int64_t chunk) const {
  bool found = false;
  reader_.visit_objects(chunks_.cell(chunk), [&](const ReadRequest& object) {
    found = object.found;
  });
  return found;
}

std::optional<ChunkSample> ChunkSampler::sample(std::int64_t chunk,
                                                Arena& arena) const {
  const ArenaScope scope(arena);
  // Elements in the order of the target's chunks, as a run has them.
  const BlockLayout layout = BlockLayout::of_pieces(
      chunks_.cell(chunk), {target_.chunk_shape, target_.chunk_shape},
      target_.axis_order, target_.item_bytes);
  Block block(layout, arena.take(layout.bytes()));
  ChunkSample sample;
  StageReport report;
  sample.first_read_ns = read(block, arena, report);
  if (!block.has_data() || block.memory().empty()) return std::nullopt;
  sample.source_ratio = static_cast<double>(report.counted.stored_bytes_read) /
                        static_cast<double>(chunk_bytes());
  sample.read_ns = read(block, arena, report);
  encode(block.memory(), arena, sample);
  return sample;
}

double ChunkSampler::read(Block& block, Arena& arena,
                          StageReport& report) const {
  const Stopwatch watch;
  reader_.read(block.layout().region(), block, arena, report);
  return watch.nanoseconds();
}

void ChunkSampler::encode(std::span<const std::byte> elements, Arena& arena,
                          ChunkSample& sample) const {
  // A source chunk may be smaller than a target chunk. Costs are per byte, so a
  // part is enough.
  const auto part = elements.first(std::min(
      elements.size(), static_cast<std::size_t>(target_.chunk_bytes())));
  const auto bytes = static_cast<std::int64_t>(part.size());
  const auto encoded = arena.take(
      std::max(target_.codecs.max_encoded_bytes(bytes),
               light_codec_.max_encoded_bytes(std::min(bytes, kLightBytes))));
  const auto buffer = arena.take(target_.codecs.buffer_bytes(bytes));
  const Stopwatch watch;
  const auto times = std::max<std::size_t>(1, kEncodedBytes / part.size());
  std::int64_t stored = 0;
  for (std::size_t i = 0; i < times; ++i)
    stored = target_.codecs.encode(part, encoded, buffer);
  sample.encode_ns =
      watch.nanoseconds() / static_cast<double>(times * part.size());
  sample.target_ratio =
      static_cast<double>(stored) / static_cast<double>(part.size());
  const auto light =
      part.first(std::min(part.size(), static_cast<std::size_t>(kLightBytes)));
  // What does not get smaller stays raw.
  sample.light_ratio = std::min(
      1.0, static_cast<double>(light_codec_.encode(light, encoded, {})) /
               static_cast<double>(light.size()));
}

}  // namespace rechunk
