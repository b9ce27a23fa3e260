#include "job/calibrate.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <numbers>
#include <numeric>
#include <optional>
#include <vector>

#include "exec/block.h"
#include "job/disk_probe.h"
#include "rechunk/error.h"
#include "zarr/array_reader.h"

namespace rechunk {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSamples = 5;
// Chunks that are looked for, to learn how many are missing.
constexpr std::int64_t kFewestLookups = 10, kMostLookups = 1000;
constexpr auto kLookupTime = std::chrono::milliseconds(100);
constexpr std::size_t kDiskSampleBytes = 1 << 20;
constexpr double kSmallPart = 0.05;  // Of the job's elements.

/// What one chunk told.
struct ChunkSample {
  double first_read_ns = 0;  ///< Reading and decoding the chunk.
  double read_ns = 0;        ///< The same once its bytes are in the cache.
  double encode_ns = 0;      ///< Per byte.
  double source_ratio = 1, target_ratio = 1;  ///< Stored bytes per byte.
  double bytes = 0;                           ///< Decoded.
};

double median(const std::vector<ChunkSample>& samples,
              double ChunkSample::*member) {
  std::vector<double> values;
  for (const ChunkSample& sample : samples) values.push_back(sample.*member);
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The chunks of one array, read and encoded.
class Sampler {
 public:
  Sampler(const std::shared_ptr<Store>& store, const std::string& path,
          const ArrayMetadata& source, const ArrayMetadata& target)
      : source_(std::make_shared<const ArrayLayout>(make_layout(source))),
        target_(make_layout(target)),
        reader_(store, path, source_, target_.scalars),
        chunks_(source_->shape, source_->chunk_shape) {}

  std::int64_t chunk_count() const { return chunks_.cell_count(); }

  std::int64_t memory_bytes() const {
    const std::int64_t chunk = source_->chunk_bytes();
    return MemoryBudget::aligned(8 * MemoryBudget::kAlignment + chunk +
                                 ArrayReader::unit_scratch_bytes(*source_) +
                                 ArrayReader::object_scratch_bytes(*source_) +
                                 target_.codecs.max_encoded_bytes(chunk) +
                                 target_.codecs.scratch_bytes(chunk));
  }

  bool is_there(std::int64_t chunk) const {
    bool found = false;
    reader_.visit_objects(chunks_.cell(chunk), [&](const ReadRequest& object) {
      found = object.found;
    });
    return found;
  }

  /// Nothing if the chunk is missing.
  std::optional<ChunkSample> sample(std::int64_t chunk, Arena& arena) const {
    const ArenaScope scope(arena);
    // Elements in the order of the target's chunks, as a run has them.
    const BlockLayout layout = BlockLayout::of_pieces(
        chunks_.cell(chunk), {target_.chunk_shape, target_.chunk_shape},
        target_.axis_order, target_.item_bytes);
    Block block(layout, arena.take(layout.bytes()));
    ChunkSample sample;
    sample.bytes = static_cast<double>(source_->chunk_bytes());
    StageReport report;
    sample.first_read_ns = read(block, arena, report);
    if (!block.has_data() || block.memory().empty()) return std::nullopt;
    sample.source_ratio =
        static_cast<double>(report.counted.stored_bytes_read) / sample.bytes;
    sample.read_ns = read(block, arena, report);
    encode(block.memory(), arena, sample);
    return sample;
  }

 private:
  double read(Block& block, Arena& arena, StageReport& report) const {
    const auto start = Clock::now();
    reader_.read(block.layout().region(), block, arena, report);
    return std::chrono::duration<double, std::nano>(Clock::now() - start)
        .count();
  }

  void encode(std::span<const std::byte> elements, Arena& arena,
              ChunkSample& sample) const {
    const auto part = elements.first(std::min(
        elements.size(), static_cast<std::size_t>(target_.chunk_bytes())));
    const auto bytes = static_cast<std::int64_t>(part.size());
    const auto encoded = arena.take(target_.codecs.max_encoded_bytes(bytes));
    const auto buffer = arena.take(target_.codecs.buffer_bytes(bytes));
    const auto start = Clock::now();
    // Short chunks are encoded again and again, as in a run.
    const auto times = std::max<std::size_t>(1, (256 << 10) / part.size());
    std::int64_t stored = 0;
    for (std::size_t i = 0; i < times; ++i)
      stored = target_.codecs.encode(part, encoded, buffer);
    sample.encode_ns =
        std::chrono::duration<double, std::nano>(Clock::now() - start).count() /
        static_cast<double>(times * part.size());
    sample.target_ratio =
        static_cast<double>(stored) / static_cast<double>(part.size());
  }

  std::shared_ptr<const ArrayLayout> source_;
  ArrayLayout target_;
  ArrayReader reader_;
  Grid chunks_;
};

struct Lookups {
  std::vector<std::int64_t> there;  ///< Rising numbers of chunks.
  double missing_share = 0;
};

/// Looks for chunks all over the array, however early it has to end: steps of
/// about the golden section of its length leave no part out, nor do they come
/// back before all were there.
Lookups look_up(const Sampler& sampler) {
  const std::int64_t count = sampler.chunk_count();
  const auto begin = Clock::now();
  auto step =
      static_cast<std::int64_t>(static_cast<double>(count) / std::numbers::phi);
  while (std::gcd(step, count) != 1) ++step;
  std::vector<std::int64_t> there;
  std::int64_t looked_up = 0, chunk = 0;
  for (; looked_up < std::min(count, kMostLookups); ++looked_up) {
    if (looked_up >= kFewestLookups && Clock::now() - begin > kLookupTime)
      break;
    if (sampler.is_there(chunk)) there.push_back(chunk);
    chunk = (chunk + step) % count;
  }
  std::sort(there.begin(), there.end());
  const auto found = static_cast<double>(there.size());
  return {there, 1 - found / static_cast<double>(looked_up)};
}

/// Of chunks spread over the array; the first warms up and does not count.
std::vector<ChunkSample> take_samples(const Sampler& sampler,
                                      const std::vector<std::int64_t>& chunks,
                                      Arena& arena) {
  std::vector<ChunkSample> samples;
  if (chunks.empty()) return samples;
  for (std::size_t i = 0; i <= kSamples; ++i) {
    const std::int64_t chunk = chunks[chunks.size() * i / (kSamples + 1)];
    const auto sample = sampler.sample(chunk, arena);
    if (sample && i > 0) samples.push_back(*sample);
  }
  return samples;
}

void take_over(const std::vector<ChunkSample>& samples, ArrayProblem& problem) {
  ChunkTraits& source = problem.source;
  ChunkTraits& target = problem.target;
  const double bytes = median(samples, &ChunkSample::bytes);
  const double read = median(samples, &ChunkSample::read_ns);
  source.stored_ratio = median(samples, &ChunkSample::source_ratio);
  target.stored_ratio = median(samples, &ChunkSample::target_ratio);
  const double stored = source.stored_ratio * bytes;
  if (!source.in_parts) {
    // What a warm read takes beside decoding stays as estimated.
    const double other =
        source.medium.request_ns + stored * source.medium.read_ns_per_byte;
    source.codec_ns_per_byte = std::max(0.0, read - other) / bytes;
  }
  const double cold = median(samples, &ChunkSample::first_read_ns) - read;
  source.medium.read_ns_per_byte += std::max(0.0, cold) / stored;
  target.codec_ns_per_byte = median(samples, &ChunkSample::encode_ns);
}

double bytes_of(const ArrayProblem& problem) {
  double bytes = static_cast<double>(problem.item_bytes);
  for (const std::int64_t length : problem.shape)
    bytes *= static_cast<double>(length);
  return bytes;
}

void use(const std::optional<DiskCosts>& costs, MediumTraits& medium) {
  if (!costs) return;
  // A short probe finds memory that is at hand; a run soon has used that up.
  medium.write_ns_per_byte =
      std::max(medium.write_ns_per_byte, costs->write_ns);
  medium.read_ns_per_byte = std::max(medium.read_ns_per_byte, costs->read_ns);
}

void calibrate_codecs(const PlannedJob& job, ArrayProblem& problem) {
  const Sampler sampler(job.stores.source, problem.name,
                        job.source.arrays.at(problem.name),
                        job.target.arrays.at(problem.name));
  if (sampler.chunk_count() == 0 ||
      sampler.memory_bytes() > job.options.max_memory)
    return;
  MemoryBudget budget(job.options.max_memory);
  Arena arena = budget.acquire(sampler.memory_bytes());
  const auto all = arena.take(sampler.memory_bytes());
  std::memset(all.data(), 0, all.size());  // Runs use their pages again, too.
  arena.release_to(0);
  const Lookups lookups = look_up(sampler);
  problem.missing_share = lookups.missing_share;
  const auto samples = take_samples(sampler, lookups.there, arena);
  if (samples.empty()) return;
  take_over(samples, problem);
  problem.calibrated = true;
}

}  // namespace

void calibrate(const PlannedJob& job, std::vector<ArrayProblem>& problems) {
  std::vector<std::byte> sample(kDiskSampleBytes, std::byte{0x5a});
  const auto temp = probe_disk(job.places.temp, sample);
  const auto target = probe_disk(job.places.target, sample);
  double all_bytes = 0;
  for (const ArrayProblem& problem : problems) all_bytes += bytes_of(problem);
  for (ArrayProblem& problem : problems) {
    use(temp, problem.temp);
    use(target, problem.target.medium);
    if (bytes_of(problem) < kSmallPart * all_bytes ||
        job.stores.array_sources.contains(problem.name))
      continue;
    try {
      calibrate_codecs(job, problem);
    } catch (const Error&) {
      // The run will say what is wrong with a chunk; the plan does not need it.
    }
  }
}

}  // namespace rechunk
