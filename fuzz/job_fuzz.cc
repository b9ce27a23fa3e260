// A whole run, from a store in which everything may be wrong into another. The
// object "options" of the input has a line per option: "chunks 3,4". A run that
// ends well must also end well when it verifies, but for what it moved
// undecoded.
#include <algorithm>
#include <optional>

#include "input.h"
#include "journal/journal.h"
#include "rechunk/rechunk.h"
#include "targets.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk::fuzz {
namespace {

constexpr std::int64_t kMaxTasks = 300;
constexpr std::int64_t kMaxBytes = 4 << 20;

Options parse_options(std::string_view text) {
  Options options;
  options.max_memory = kMaxBytes;
  options.threads = 1;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view key = line.substr(0, space);
    const std::string value(line.substr(std::min(space + 1, line.size())));
    if (key == "chunks") options.chunks = value;
    if (key == "shards") options.shards = value;
    if (key == "codec") options.codec = value;
    if (key == "array") options.array_chunks.emplace_back("a", value);
    if (key == "memory") options.max_memory = 1 << (value.size() % 24);
    if (key == "v2") options.zarr_format = 2;
    if (key == "v3") options.zarr_format = 3;
    if (key == "consolidate") options.consolidate = true;
    if (key == "empty") options.write_empty_chunks = true;
    if (key == "threads") options.threads = 3;
  }
  return options;
}

Stores make_stores(const std::shared_ptr<Store>& source) {
  Stores stores;
  stores.source = source;
  stores.target = make_memory_store();
  stores.temp = make_memory_store();
  stores.journal = make_memory_store();
  return stores;
}

/// True if running it takes no longer than an input may.
bool is_small(const Plan& plan) {
  std::int64_t tasks = 0, bytes = 0, objects = 0;
  for (const StagedCopySpec& array : plan.arrays)
    for (const CopySpec& stage : array.stages) {
      if (stage.tasks > kMaxTasks || stage.objects_read > 10 * kMaxTasks ||
          stage.objects_written > 10 * kMaxTasks ||
          stage.bytes_decoded > kMaxBytes || stage.bytes_encoded > kMaxBytes)
        return false;
      tasks += stage.tasks;
      objects += stage.objects_read + stage.objects_written;
      bytes += stage.bytes_decoded + stage.bytes_encoded;
    }
  return tasks <= kMaxTasks && objects <= 20 * kMaxTasks && bytes <= kMaxBytes;
}

bool is_empty(const Store& store) {
  bool empty = true;
  store.list("", [&](std::string_view, std::int64_t) { empty = false; });
  return empty;
}

void require_nothing_left(const Stores& stores) {
  require(is_empty(*stores.target), "a run that failed leaves a target");
  require(is_empty(*stores.journal), "a run leaves a journal");
  require(is_empty(*stores.temp), "a run leaves temporary data");
}

/// True if it ends well. A run that fails may leave what is done, with a
/// journal, but nothing that opens, and nothing once it is discarded.
bool run(Job& job, const Stores& stores) {
  const bool well = succeeds([&] { job.run(); });
  if (well) {
    require(is_empty(*stores.journal), "a run leaves a journal");
    require(is_empty(*stores.temp), "a run leaves temporary data");
    return true;
  }
  require(!has_metadata(*stores.target), "a run that failed leaves metadata");
  if (!running_plan(*stores.journal)) require_nothing_left(stores);
  job.discard();
  require_nothing_left(stores);
  return false;
}

bool decodes_all(const Plan& plan) {
  return std::none_of(
      plan.arrays.begin(), plan.arrays.end(),
      [](const auto& array) { return array.method == Method::kPassthrough; });
}

enum class Outcome { kNone, kMoved, kDecoded };

/// None if the job cannot be planned, is not small or fails.
Outcome run(const std::shared_ptr<Store>& source, const Options& options) {
  const Stores stores = make_stores(source);
  std::optional<Job> job;
  succeeds([&] { job.emplace("", "", options, stores); });
  if (!job || !is_small(job->plan())) {
    require_nothing_left(stores);
    return Outcome::kNone;
  }
  if (!run(*job, stores)) return Outcome::kNone;
  return decodes_all(job->plan()) ? Outcome::kDecoded : Outcome::kMoved;
}

}  // namespace

void fuzz_job(std::string_view input) {
  Objects objects = parse_objects(input);
  Options options = parse_options(objects["options"]);
  objects.erase("options");
  const auto source = make_store(objects);
  // Damage that is moved as it is stored shows when it is verified.
  if (run(source, options) != Outcome::kDecoded) return;
  options.verify = true;
  // Verifying takes more memory, and so another plan.
  options.max_memory = 2 * options.max_memory;
  require(
      run(source, options) != Outcome::kNone || options.max_memory < kMaxBytes,
      "what was written does not verify");
}

}  // namespace rechunk::fuzz
