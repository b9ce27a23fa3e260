#include "zarr/chunks/array_reader.h"

#include <gtest/gtest.h>

#include <map>

#include "rechunk/error.h"
#include "store/counting_store.h"
#include "zarr/chunks/testing.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

// The memory that a sink has to offer.
enum class Offer { kNone, kPlace, kSpare };

// Collects elements one by one, and counts how often each came.
class Collector final : public RegionSink {
 public:
  Collector(const Region& region, std::int64_t item_bytes, Offer offer)
      : elements(region, item_bytes), offer_(offer) {}

  std::byte* place(const Region& part, const std::vector<int>&) override {
    if (offer_ == Offer::kNone) return nullptr;
    placed_.assign(
        static_cast<std::size_t>(element_count(part) * elements.item_bytes),
        std::byte{0xee});
    return placed_.data();
  }
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override {
    for_each_point(part, [&](const Shape& point) {
      const std::byte* item = data;
      for (std::size_t axis = 0; axis < point.size(); ++axis)
        item += (point[axis] - part.start[axis]) * strides[axis];
      take(point, {item, static_cast<std::size_t>(elements.item_bytes)});
    });
  }
  void put_fill(const Region& part,
                std::span<const std::byte> element) override {
    for_each_point(part, [&](const Shape& point) { take(point, element); });
  }

  std::span<std::byte> spare(const Region& region,
                             std::int64_t bytes) override {
    if (offer_ != Offer::kSpare || region != elements.region) return {};
    spare_.assign(static_cast<std::size_t>(bytes), std::byte{0xee});
    return spare_;
  }

  bool has_spared() const { return !spare_.empty(); }

  Elements elements;
  std::map<Shape, int> times;

 private:
  void take(const Shape& point, std::span<const std::byte> item) {
    ASSERT_EQ(static_cast<std::int64_t>(item.size()), elements.item_bytes);
    std::memcpy(elements.at(point), item.data(), item.size());
    ++times[point];
  }

  const Offer offer_;
  Bytes placed_, spare_;
};

// An array of random elements in a store.
struct Stored {
  std::shared_ptr<const ArrayLayout> layout;
  Elements elements;
  std::shared_ptr<CountingStore> store =
      std::make_shared<CountingStore>(make_memory_store());

  Stored(Random& random, const ArrayMetadata& metadata,
         bool write_empty_chunks = false)
      : layout(share_layout(metadata)),
        elements(random_elements(random, *layout)) {
    MemoryBudget budget(std::int64_t{1} << 30);
    Arena arena = budget.acquire(1 << 22);
    StageReport report;
    write_elements(ArrayWriter(store, "x", layout,
                               write_empty_chunks ? EmptyChunks::kWrite
                                                  : EmptyChunks::kLeaveOut),
                   elements, arena, report);
  }

  Stored(Random& random, const std::string& codecs)
      : Stored(random,
               parse_array_v3(fmt::format(
                   R"({{"zarr_format":3,"node_type":"array","shape":[16,16],)"
                   R"("data_type":"int16","chunk_grid":{{"name":"regular",)"
                   R"("configuration":{{"chunk_shape":[8,8]}}}},)"
                   R"("chunk_key_encoding":{{"name":"default"}},)"
                   R"("fill_value":5,"codecs":{}}})",
                   codecs)),
               true) {}
};

// Reads with no more memory than the reader says that it takes.
Collector read(const Stored& stored, const Region& region, StageReport& report,
               const std::vector<DataType::Scalar>& scalars,
               Offer offer = Offer::kNone) {
  const ArrayLayout& layout = *stored.layout;
  const ArrayReader reader(stored.store, "x", stored.layout, scalars);
  const std::int64_t spared =
      offer == Offer::kSpare ? reader.spare_bytes(region) : 0;
  MemoryBudget budget(ArrayReader::unit_scratch_bytes(layout) +
                      ArrayReader::object_scratch_bytes(layout) - spared);
  Arena arena = budget.acquire(budget.limit());
  Collector sink(region, layout.item_bytes, offer);
  reader.read(region, sink, arena, report);
  EXPECT_EQ(arena.used(), 0);
  return sink;
}

Collector read(const Stored& stored, const Region& region) {
  StageReport report;
  return read(stored, region, report, stored.layout->scalars);
}

std::vector<DataType::Scalar> random_orders(
    Random& random, std::vector<DataType::Scalar> scalars) {
  const bool big = pick(random, 0, 1);
  for (DataType::Scalar& scalar : scalars)
    scalar.big_endian = scalar.swappable && big;
  return scalars;
}

TEST(ArrayReader, ReadsAnyRegionOfAnyArray) {
  int spared = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Stored stored(random, random_metadata(random, random_shape(random),
                                                random_type(random)));
    const ArrayLayout& layout = *stored.layout;
    for (int part = 0; part < 4; ++part) {
      const Region region =
          part ? random_region(random, layout.shape) : whole(layout.shape);
      const auto scalars = random_orders(random, layout.scalars);
      StageReport report;
      const std::int64_t before = stored.store->bytes;
      const Collector sink = read(stored, region, report, scalars,
                                  static_cast<Offer>(pick(random, 0, 2)));
      spared += sink.has_spared();
      ASSERT_EQ(sink.elements,
                converted(stored.elements, region, layout.scalars, scalars));
      for (const auto& [point, times] : sink.times) ASSERT_EQ(times, 1);
      EXPECT_EQ(report.counted.stored_bytes_read, stored.store->bytes - before);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(spared, 50);
}

TEST(ArrayReader, CountsWhatARegionTouches) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Stored stored(random, random_metadata(random, random_shape(random),
                                                random_type(random)));
    const ArrayLayout& layout = *stored.layout;
    const Region region = random_region(random, layout.shape);
    StageReport report;
    read(stored, region, report, layout.scalars);
    const Region objects =
        Grid(layout.shape, layout.object_shape).cells_touching(region);
    std::int64_t present = 0;
    for_each_point(objects, [&](const Shape& object) {
      present += !read_object(*stored.store,
                              "x/" + chunk_key(layout.key_encoding, object))
                      .empty();
    });
    EXPECT_EQ(report.counted.objects_read, present);
    EXPECT_EQ(report.skipped.objects_read, element_count(objects) - present);
    // Chunks without codecs are read in part.
    const std::int64_t bytes =
        layout.codecs.empty()
            ? element_count(region) * layout.item_bytes
            : element_count(Grid(layout.shape, layout.chunk_shape)
                                .cells_touching(region)) *
                  layout.chunk_bytes();
    EXPECT_EQ(report.counted.bytes_decoded + report.skipped.bytes_decoded,
              bytes);
    if (HasFailure()) return;
  }
}

TEST(ArrayReader, FillsWhatIsMissingInTheOrderThatIsAskedFor) {
  Random random(1);
  Stored stored(random, R"([{"name":"bytes","configuration":)"
                        R"({"endian":"little"}}])");
  stored.store->erase("x/c/0/1");
  auto scalars = stored.layout->scalars;
  scalars[0].big_endian = true;
  StageReport report;
  const Collector sink = read(stored, {{3, 7}, {4, 9}}, report, scalars);
  EXPECT_EQ(sink.elements.at({3, 7})[0], stored.elements.at({3, 7})[1]);
  EXPECT_EQ(sink.elements.at({3, 8})[0], std::byte{0});
  EXPECT_EQ(sink.elements.at({3, 8})[1], std::byte{5});
  EXPECT_EQ(report.counted.objects_read, 1);
  EXPECT_EQ(report.skipped.objects_read, 1);
}

constexpr const char* kRaw =
    R"({"name":"bytes","configuration":{"endian":"little"}})";

std::string sharded(const char* chunk_shape, const std::string& codecs,
                    const char* location) {
  return fmt::format(R"({{"name":"sharding_indexed","configuration":{{)"
                     R"("chunk_shape":{},"codecs":[{}],"index_codecs":)"
                     R"([{},"crc32c"],"index_location":"{}"}}}})",
                     chunk_shape, codecs, kRaw, location);
}

TEST(ArrayReader, ReadsOfAShardOnlyTheIndexAndWhatIsWanted) {
  for (const char* location : {"start", "end"}) {
    Random random(2);
    const Stored stored(random, "[" + sharded("[2,4]", kRaw, location) + "]");
    const Region wanted{{9, 3}, {11, 4}};  // Parts of two inner chunks.
    StageReport report;
    const std::int64_t before = stored.store->bytes;
    read(stored, wanted, report, stored.layout->scalars);
    constexpr std::int64_t kIndex = 8 * 16 + 4, kChunk = 2 * 4 * 2;
    EXPECT_EQ(report.counted.stored_bytes_read, kIndex + 2 * kChunk);
    EXPECT_EQ(stored.store->bytes - before, kIndex + 2 * kChunk);
    EXPECT_EQ(report.counted.bytes_decoded, 2 * 2) << "two elements";
  }
}

TEST(ArrayReader, ReadsOfANestedShardOnlyTheIndicesOnTheWay) {
  Random random(3);
  const Stored stored(
      random,
      "[" + sharded("[4,4]", sharded("[1,2]", kRaw, "start"), "end") + "]");
  StageReport report;
  read(stored, {{5, 5}, {6, 6}}, report, stored.layout->scalars);
  EXPECT_EQ(report.counted.stored_bytes_read,
            (4 * 16 + 4) + (8 * 16 + 4) + 1 * 2 * 2);
}

// The message of a corrupt array; it names the object.
std::string complaint(const Stored& stored, const std::string& key) {
  try {
    read(stored, whole(stored.layout->shape));
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << text;
    EXPECT_NE(text.find("/data/" + key), std::string::npos) << text;
    return text;
  }
  ADD_FAILURE() << "nothing wrong with " << key;
  return "";
}

TEST(ArrayReader, RefusesObjectsOfAnotherLength) {
  const std::string codecs[] = {
      fmt::format("[{}]", kRaw), fmt::format(R"([{},"crc32c"])", kRaw),
      fmt::format(R"([{},{{"name":"gzip","configuration":{{"level":1}}}}])",
                  kRaw),
      fmt::format(R"([{},{{"name":"zstd","configuration":{{"level":1}}}}])",
                  kRaw),
      fmt::format(R"([{},{{"name":"blosc","configuration":{{"cname":"lz4",)"
                  R"("clevel":5,"shuffle":"shuffle","typesize":2,)"
                  R"("blocksize":0}}}}])",
                  kRaw)};
  for (const std::string& chain : codecs) {
    SCOPED_TRACE(chain);
    Random random(4);
    Stored stored(random, chain);
    const Bytes whole_object = read_object(*stored.store, "x/c/1/0");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, whole_object.size() / 2,
          whole_object.size() - 1}) {
      write_object(*stored.store, "x/c/1/0",
                   std::span(whole_object).first(size));
      complaint(stored, "x/c/1/0");
    }
    write_object(*stored.store, "x/c/1/0", Bytes(20000, std::byte{1}));
    complaint(stored, "x/c/1/0");
  }
}

// Chunks of a shard, found and replaced through its index.
TEST(ArrayReader, RefusesShardsThatAreCutOrPointBeyondThemselves) {
  for (const char* location : {"start", "end"})
    for (const bool nested : {false, true}) {
      SCOPED_TRACE(location);
      Random random(5);
      const std::string inner =
          nested ? sharded("[2,2]", kRaw, location) : kRaw;
      Stored stored(random, "[" + sharded("[4,4]", inner, location) + "]");
      const Bytes shard = read_object(*stored.store, "x/c/0/1");
      for (std::size_t size = 0; size < shard.size(); size += 7) {
        write_object(*stored.store, "x/c/0/1", std::span(shard).first(size));
        complaint(stored, "x/c/0/1");
      }
      // The first entry: a chunk that ends behind the shard, or is too short.
      const std::size_t index_bytes = 4 * 16 + 4;
      const std::size_t at =
          location[0] == 's' ? 0 : shard.size() - index_bytes;
      for (const std::int64_t bytes : {1L, 31L, 33L, 100000L}) {
        Bytes changed = shard;
        ShardIndex index(stored.layout->shards[0],
                         std::span(changed).subspan(at, index_bytes));
        const auto entry =
            index.entry(0, static_cast<std::int64_t>(shard.size()));
        index.set(0, {entry->offset, bytes});
        write_object(*stored.store, "x/c/0/1", changed);
        EXPECT_NE(complaint(stored, "x/c/0/1").find("crc32c"),
                  std::string::npos);
        index.seal();
        write_object(*stored.store, "x/c/0/1", changed);
        complaint(stored, "x/c/0/1");
      }
    }
}

// Damage anywhere: an error that names the object, or other elements.
TEST(ArrayReader, SurvivesAnyDamage) {
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Stored stored(random, random_metadata(random, {pick(random, 1, 12), 7},
                                          random_type(random)));
    std::vector<std::string> keys;
    stored.store->list("", [&](std::string_view key, std::int64_t) {
      keys.emplace_back(key);
    });
    if (keys.empty()) continue;
    const std::string key = keys[random() % keys.size()];
    Bytes bytes = read_object(*stored.store, key);
    for (std::int64_t count = pick(random, 1, 4); count > 0; --count)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (pick(random, 0, 3) == 0) bytes.resize(random() % (bytes.size() + 9));
    write_object(*stored.store, key, bytes);
    try {
      read(stored, whole(stored.layout->shape));
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << text;
      EXPECT_NE(text.find("/data/" + key), std::string::npos) << text;
      ++refused;
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace rechunk
