#include "measure/calibrate.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <future>
#include <numbers>
#include <numeric>
#include <optional>
#include <vector>

#include "measure/chunk_sampler.h"
#include "measure/disk_probe.h"
#include "plan/cost.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Clock = std::chrono::steady_clock;

// A thread takes samples until it has so many and has worked for so long, or
// has taken all.
constexpr std::size_t kFewestSamples = 5;
constexpr auto kSampleTime = std::chrono::milliseconds(100);
// Small chunks are sampled with their neighbours, as a run reads them. Opening
// objects that lie far apart takes longer.
constexpr std::int64_t kNeighbourBytes = 256 << 10, kMostNeighbours = 8;
// Chunks that are looked for, to learn how many are missing.
constexpr std::int64_t kFewestLookups = 10, kMostLookups = 1000;
constexpr auto kLookupTime = std::chrono::milliseconds(100);
constexpr double kSmallPart = 0.05;  // Of the job's elements.

double median(const std::vector<ChunkSample>& samples,
              double ChunkSample::*member) {
  std::vector<double> values;
  for (const ChunkSample& sample : samples) values.push_back(sample.*member);
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The cost of chunks if threads work side by side and share caches, memory and
/// cores. Each thread has samples.
class SamplesOfThreads {
 public:
  explicit SamplesOfThreads(std::vector<std::vector<ChunkSample>> samples)
      : samples_(std::move(samples)) {}

  /// The time of a mean thread. A thread that is done takes the next task, so
  /// speeds add up, and not times.
  double time(double ChunkSample::*member) const {
    double speed = 0;
    for (const auto& samples : samples_) speed += 1 / median(samples, member);
    return static_cast<double>(samples_.size()) / speed;
  }

  double ratio(double ChunkSample::*member) const {
    return median(samples_.front(), member);
  }

 private:
  std::vector<std::vector<ChunkSample>> samples_;
};

struct Lookups {
  std::vector<std::int64_t> there;  ///< However many: all over the array.
  double missing_share = 0;
};

/// Looks for chunks all over the array, also if it ends early. For this, a step
/// is about the golden section of the array's length. No chunk comes twice,
/// because step and length have no common divisor.
Lookups look_up(const ChunkSampler& sampler) {
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
  const auto found = static_cast<double>(there.size());
  return {there, 1 - found / static_cast<double>(looked_up)};
}

/// Samples of one thread, of every `step`th chunk. The first one warms up and
/// does not count.
std::vector<ChunkSample> take_samples(const ChunkSampler& sampler,
                                      const std::vector<std::int64_t>& chunks,
                                      std::size_t first, std::size_t step,
                                      bool is_late, MemoryBudget& budget) {
  Arena arena = budget.acquire(sampler.memory_bytes());
  const auto all = arena.take(sampler.memory_bytes());
  std::memset(all.data(), 0, all.size());  // Runs use their pages again, too.
  arena.release_to(0);
  // Of a source that answers late, only sizes are of use.
  const std::int64_t neighbours =
      is_late
          ? 1
          : std::clamp<std::int64_t>(kNeighbourBytes / sampler.chunk_bytes(), 1,
                                     kMostNeighbours);
  const std::size_t fewest = is_late ? 1 : kFewestSamples;
  std::vector<ChunkSample> samples;
  const auto begin = Clock::now();
  for (std::size_t at = first;; at += step) {
    const std::int64_t chunk = chunks[at % chunks.size()];
    const std::int64_t stop =
        std::min(chunk + neighbours, sampler.chunk_count());
    for (std::int64_t each = chunk; each < stop; ++each)
      if (const auto sample = sampler.sample(each, arena); sample && at > first)
        samples.push_back(*sample);
    const std::size_t taken = (at - first) / step;
    if (taken >= fewest &&
        (Clock::now() - begin > kSampleTime || at + step >= chunks.size()))
      return samples;
  }
}

std::optional<SamplesOfThreads> take_samples(
    const ChunkSampler& sampler, const std::vector<std::int64_t>& chunks,
    int most_threads, bool is_late, MemoryBudget& budget) {
  if (chunks.empty()) return std::nullopt;
  const auto threads = static_cast<std::size_t>(std::clamp<std::int64_t>(
      budget.limit() / sampler.memory_bytes(), 1, most_threads));
  std::vector<std::future<std::vector<ChunkSample>>> taken;
  for (std::size_t thread = 0; thread < threads; ++thread)
    taken.push_back(std::async(std::launch::async, [&, thread] {
      return take_samples(sampler, chunks, thread, threads, is_late, budget);
    }));
  std::vector<std::vector<ChunkSample>> samples;
  for (auto& each : taken)
    if (auto some = each.get(); !some.empty())
      samples.push_back(std::move(some));
  if (samples.empty()) return std::nullopt;
  return SamplesOfThreads(std::move(samples));
}

void take_over(const SamplesOfThreads& samples, double bytes,
               ArrayProblem& problem) {
  ChunkTraits& source = problem.source;
  ChunkTraits& target = problem.target;
  source.stored_ratio = samples.ratio(&ChunkSample::source_ratio);
  target.stored_ratio = samples.ratio(&ChunkSample::target_ratio);
  target.codec_ns_per_byte = samples.time(&ChunkSample::encode_ns);
  problem.light_stored_ratio = samples.ratio(&ChunkSample::light_ratio);
  if (source.medium.latency_ns > 0) return;
  const double read = samples.time(&ChunkSample::read_ns);
  const double stored = source.stored_ratio * bytes;
  if (!source.in_parts) {
    // The other costs of a warm read stay as estimated.
    const double other =
        source.medium.request_ns + stored * source.medium.read_ns_per_byte;
    source.codec_ns_per_byte = std::max(0.0, read - other) / bytes;
  }
  // Else the disk's time counts for itself.
  if (is_beyond_cache(problem) && source.medium.disk_read_ns_per_byte > 0)
    return;
  const double cold = samples.time(&ChunkSample::first_read_ns) - read;
  source.medium.read_ns_per_byte += std::max(0.0, cold) / stored;
}

double bytes_of(const ArrayProblem& problem) {
  double bytes = static_cast<double>(problem.item_bytes);
  for (const std::int64_t length : problem.shape)
    bytes *= static_cast<double>(length);
  return bytes;
}

// Places on the disk of the intermediates cost what these do.
void use_past_cache(const Calibration& job,
                    std::vector<ArrayProblem>& problems) {
  const auto costs = probe_past_cache(job.temp_place, job.budget);
  if (!costs) return;
  const auto use = [&](const std::string& place, MediumTraits& medium) {
    if (medium.disk_write_ns_per_byte == 0 ||
        !on_same_disk(place, job.temp_place))
      return;
    medium.disk_read_ns_per_byte = costs->read_ns;
    medium.disk_write_ns_per_byte = costs->write_ns;
  };
  for (ArrayProblem& problem : problems) {
    use(job.source_place, problem.source.medium);
    use(job.target_place, problem.target.medium);
    use(job.temp_place, problem.temp);
  }
}

void use(const std::optional<DiskCosts>& costs, MediumTraits& medium) {
  if (!costs) return;
  // A short probe writes into free memory. A run has soon used that up, so a
  // faster time than the estimate does not count.
  medium.write_ns_per_byte =
      std::max(medium.write_ns_per_byte, costs->write_ns);
  medium.read_ns_per_byte = std::max(medium.read_ns_per_byte, costs->read_ns);
}

// Looks for chunks, samples some of those that exist, and puts the costs into
// the problem. If that is not possible, the estimates stay.
void calibrate_codecs(const Calibration& job, MemoryBudget& budget,
                      ArrayProblem& problem) {
  const ChunkSampler sampler(job.source_store, problem.name,
                             job.source.arrays.at(problem.name),
                             job.target.arrays.at(problem.name));
  if (sampler.chunk_count() == 0 || sampler.memory_bytes() > budget.limit())
    return;
  const Lookups lookups = look_up(sampler);
  problem.missing_share = lookups.missing_share;
  const auto samples =
      take_samples(sampler, lookups.there, job.threads,
                   problem.source.medium.latency_ns > 0, budget);
  if (!samples) return;
  take_over(*samples, static_cast<double>(sampler.chunk_bytes()), problem);
  problem.calibrated = true;
}

}  // namespace

void calibrate(const Calibration& job, std::vector<ArrayProblem>& problems) {
  MemoryBudget& budget = job.budget;
  double all_bytes = 0;
  bool may_reach_disk = false;
  for (const ArrayProblem& problem : problems) {
    all_bytes += bytes_of(problem);
    may_reach_disk = may_reach_disk || is_beyond_cache(problem) ||
                     reaches_disk(problem, problem.shape);
  }
  // A cache that fills up lets writers wait, and then shows the disk's time.
  std::optional<DiskCosts> disk;
  if (may_reach_disk)
    use_past_cache(job, problems);
  else
    disk = probe_disk(job.temp_place, job.threads, budget);
  const bool one_disk = on_same_disk(job.temp_place, job.target_place);
  for (ArrayProblem& problem : problems) {
    use(disk, problem.temp);
    if (one_disk) use(disk, problem.target.medium);
    if (bytes_of(problem) < kSmallPart * all_bytes ||
        std::ranges::find(job.left_out, problem.name) != job.left_out.end())
      continue;
    try {
      calibrate_codecs(job, budget, problem);
    } catch (const Error&) {
      // The plan does not need this chunk. The run will say what is wrong with
      // it.
    }
  }
}

}  // namespace rechunk
