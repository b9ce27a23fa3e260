// The floor of a rechunk, measured: reads and decodes every source object once,
// encodes and writes every target object once, with the codecs, stores and
// threads of rechunk itself, and moves nothing from one layout to the other.
// All memory is touched and all codecs are used once before the clock starts.
//
// What it encodes are true elements of the target, or sizes and times would not
// be: before the clock it decodes objects of a finished target into a pool. A
// pool that held a whole target would cost more memory than it tells, so where
// the target is larger than --pool a random part of its objects, drawn by a
// fixed seed, stands for all. The pool is far larger than the caches, so that
// elements come from memory, as they do in a rechunk.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstring>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <unordered_set>

#include "base/memory_budget.h"
#include "exec/block.h"
#include "rechunk/error.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/chunks/array_writer.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

struct Options {
  std::string source, finished, output;
  int threads = 2;
  std::int64_t pool_bytes = std::int64_t{1} << 29;
};

/// A root array in a store, and the coordinates of the objects it has.
struct StoredArray {
  std::shared_ptr<Store> store;
  std::shared_ptr<const ArrayLayout> layout;
  Grid grid;
  std::vector<std::int64_t> objects;  ///< Numbers in the grid, ascending.
};

StoredArray open_array(const std::string& path) {
  StoredArray array;
  array.store = open_store(path);
  const Hierarchy hierarchy = read_hierarchy(*array.store);
  if (!hierarchy.root_is_array)
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("opening {}: it is no array", path));
  array.layout =
      std::make_shared<const ArrayLayout>(make_layout(hierarchy.arrays.at("")));
  array.grid = Grid(array.layout->shape, array.layout->object_shape);
  std::unordered_set<std::string> keys;
  array.store->list(
      "", [&](std::string_view key, std::int64_t) { keys.emplace(key); });
  for (std::int64_t index = 0; index < array.grid.cell_count(); ++index)
    if (keys.contains(chunk_key(array.layout->key_encoding,
                                array.grid.coordinates(index))))
      array.objects.push_back(index);
  return array;
}

/// Takes what is decoded and looks away.
class Discard final : public RegionSink {
 public:
  explicit Discard(std::span<std::byte> memory) : memory_(memory) {}
  std::byte* place(const Region&, const std::vector<int>&) override {
    return memory_.data();
  }
  void put(const Region&, const std::byte*, const Shape&) override {}
  void put_fill(const Region&, std::span<const std::byte>) override {}

 private:
  std::span<std::byte> memory_;
};

// --- What is encoded ---

/// Decoded objects of the target, each as its (inner) chunks.
struct Pool {
  std::vector<std::byte> memory;
  std::vector<std::vector<std::span<const std::byte>>> objects;
};

BlockLayout block_of(const StoredArray& target, std::int64_t object) {
  const ArrayLayout& layout = *target.layout;
  return BlockLayout::of_chunks(target.grid.cell(object), layout.chunk_shape,
                                layout.axis_order, layout.item_bytes);
}

/// Random objects of the target that fill the pool, at least one; ascending.
std::vector<std::int64_t> sample(const StoredArray& target,
                                 std::int64_t pool_bytes) {
  std::vector<std::int64_t> objects = target.objects;
  std::shuffle(objects.begin(), objects.end(), std::mt19937_64(20260));
  std::int64_t bytes = 0;
  std::size_t count = 0;
  while (count < objects.size()) {
    bytes += block_of(target, objects[count]).bytes();
    if (bytes > pool_bytes && count > 0) break;
    ++count;
  }
  objects.resize(count);
  std::sort(objects.begin(), objects.end());
  return objects;
}

std::int64_t scratch_bytes(const ArrayLayout& layout) {
  return std::max(ArrayReader::unit_scratch_bytes(layout),
                  ArrayWriter::unit_scratch_bytes(layout)) +
         std::max(ArrayReader::object_scratch_bytes(layout),
                  ArrayWriter::object_scratch_bytes(layout)) +
         layout.chunk_bytes() + 4 * MemoryBudget::kAlignment;
}

Pool make_pool(const StoredArray& target, std::int64_t pool_bytes) {
  const std::vector<std::int64_t> objects = sample(target, pool_bytes);
  Pool pool;
  std::int64_t bytes = 0;
  for (const std::int64_t object : objects)
    bytes += block_of(target, object).bytes();
  pool.memory.resize(static_cast<std::size_t>(bytes));
  const ArrayReader reader(target.store, "", target.layout,
                           target.layout->scalars);
  MemoryBudget budget(scratch_bytes(*target.layout));
  Arena arena = budget.acquire(budget.limit());
  std::span<std::byte> rest(pool.memory);
  StageReport report;
  for (const std::int64_t object : objects) {
    const BlockLayout layout = block_of(target, object);
    const auto size = static_cast<std::size_t>(layout.bytes());
    Block block(layout, rest.first(size));
    rest = rest.subspan(size);
    block.fill_padding(target.layout->fill);
    reader.read(layout.region(), block, arena, report);
    std::vector<std::span<const std::byte>>& chunks =
        pool.objects.emplace_back();
    for_each_point(
        layout.cells_touching(layout.region()),
        [&](const Shape& chunk) { chunks.push_back(block.chunk(chunk)); });
  }
  return pool;
}

// --- The two passes ---

/// What one thread works with.
struct Worker {
  Arena arena;
  StageReport report;
};

/// Everything that both passes share; immutable while they run.
struct Control {
  StoredArray source, target;
  Pool pool;
  ArrayReader reader;
  ArrayWriter writer;

  Control(StoredArray from, StoredArray finished, Pool elements,
          std::shared_ptr<Store> output)
      : source(std::move(from)),
        target(std::move(finished)),
        pool(std::move(elements)),
        reader(source.store, "", source.layout, source.layout->scalars),
        writer(std::move(output), "", target.layout, EmptyChunks::kLeaveOut) {}

  void decode(std::size_t number, Worker& worker) const;
  void encode(std::size_t number, Worker& worker) const;
  void warm_up(Worker& worker) const;
};

void Control::decode(std::size_t number, Worker& worker) const {
  const ArenaScope scope(worker.arena);
  Discard sink(worker.arena.take(source.layout->chunk_bytes()));
  reader.read(source.grid.cell(source.objects[number]), sink, worker.arena,
              worker.report);
}

void Control::encode(std::size_t number, Worker& worker) const {
  const std::int64_t index = target.objects[number];
  const auto& chunks =
      pool.objects[number * pool.objects.size() / target.objects.size()];
  const Shape object = target.grid.coordinates(index);
  const ArenaScope scope(worker.arena);
  if (target.layout->shards.empty()) {
    writer.write_chunk(object, chunks.front(), worker.arena, worker.report);
    return;
  }
  // Shards at the edges have fewer chunks than the one that stands for them.
  std::size_t next = 0;
  const auto shard = writer.open_shard(object, worker.arena);
  shard->append(
      target.grid.cell(index),
      [&](const Shape&) { return chunks[next++ % chunks.size()]; },
      worker.arena, worker.report);
  shard->finish(worker.report);
}

// Pages of the arena and the codecs' own memory exist afterwards.
void Control::warm_up(Worker& worker) const {
  const std::int64_t chunk_bytes = target.layout->chunk_bytes();
  {
    const ArenaScope scope(worker.arena);
    const auto all = worker.arena.take(worker.arena.capacity());
    std::memset(all.data(), 1, all.size());
  }
  if (!source.objects.empty()) decode(0, worker);
  if (!pool.objects.empty() && !target.layout->codecs.empty()) {
    const CodecChain& codecs = target.layout->codecs;
    const ArenaScope scope(worker.arena);
    const auto room = worker.arena.take(codecs.max_encoded_bytes(chunk_bytes));
    codecs.encode(pool.objects.front().front(), room,
                  worker.arena.take(codecs.buffer_bytes(chunk_bytes)));
  }
  worker.report = {};
}

// --- The clock ---

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double cpu_seconds_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Readings at the start, between the passes, and at the end.
struct Clock {
  std::vector<double> seconds, cpu_seconds;
  void read() noexcept {
    seconds.push_back(seconds_now());
    cpu_seconds.push_back(cpu_seconds_now());
  }
};

/// Threads take objects one by one; both passes wait for the slowest thread.
StageReport run(const Control& control, int threads, Clock& clock) {
  const std::int64_t arena_bytes =
      MemoryBudget::aligned(scratch_bytes(*control.source.layout) +
                            scratch_bytes(*control.target.layout));
  MemoryBudget budget(threads * arena_bytes);
  std::atomic<std::size_t> next_source = 0, next_target = 0;
  std::vector<Worker> workers(static_cast<std::size_t>(threads));
  clock.seconds.reserve(3);
  clock.cpu_seconds.reserve(3);
  std::barrier step(threads, [&]() noexcept { clock.read(); });
  const auto work = [&](Worker& worker) {
    worker.arena = budget.acquire(arena_bytes);
    control.warm_up(worker);
    step.arrive_and_wait();
    for (std::size_t i; (i = next_source++) < control.source.objects.size();)
      control.decode(i, worker);
    step.arrive_and_wait();
    for (std::size_t i; (i = next_target++) < control.target.objects.size();)
      control.encode(i, worker);
    step.arrive_and_wait();
  };
  {
    std::vector<std::jthread> running;
    for (Worker& worker : workers)
      running.emplace_back([&] {
        try {
          work(worker);
        } catch (const std::exception& error) {
          // The others wait at the barrier: there is nothing to unwind to.
          std::cerr << "error: " << error.what() << std::endl;
          std::_Exit(1);
        }
      });
  }
  StageReport total;
  for (const Worker& worker : workers) total += worker.report;
  return total;
}

void print(const Control& control, const Options& options, const Clock& clock,
           const Counts& counts) {
  nlohmann::ordered_json result;
  result["seconds"] = clock.seconds[2] - clock.seconds[0];
  result["decode_seconds"] = clock.seconds[1] - clock.seconds[0];
  result["encode_seconds"] = clock.seconds[2] - clock.seconds[1];
  result["cpu_seconds"] = clock.cpu_seconds[2] - clock.cpu_seconds[0];
  result["threads"] = options.threads;
  result["objects_read"] = counts.objects_read;
  result["bytes_decoded"] = counts.bytes_decoded;
  result["stored_bytes_read"] = counts.stored_bytes_read;
  result["objects_written"] = counts.objects_written;
  result["bytes_encoded"] = counts.bytes_encoded;
  result["stored_bytes_written"] = counts.stored_bytes_written;
  result["pool_objects"] = control.pool.objects.size();
  result["pool_bytes"] = control.pool.memory.size();
  std::cout << result.dump() << "\n";
}

int measure(const Options& options) {
  StoredArray target = open_array(options.finished);
  Pool pool = make_pool(target, options.pool_bytes);
  const Control control(open_array(options.source), std::move(target),
                        std::move(pool), open_store(options.output));
  Clock clock;
  const StageReport report = run(control, options.threads, clock);
  print(control, options, clock, report.counted);
  return 0;
}

}  // namespace
}  // namespace rechunk

int main(int argc, char** argv) {
  rechunk::Options options;
  CLI::App app("Measures the floor of a rechunk; prints JSON.");
  app.add_option("SOURCE", options.source, "The source array")->required();
  app.add_option("FINISHED", options.finished, "A finished target of it")
      ->required();
  app.add_option("OUTPUT", options.output, "Where objects are written")
      ->required();
  app.add_option("--threads", options.threads)->check(CLI::PositiveNumber);
  app.add_option("--pool", options.pool_bytes, "Bytes of decoded target");
  CLI11_PARSE(app, argc, argv);
  try {
    return rechunk::measure(options);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
