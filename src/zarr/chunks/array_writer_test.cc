// What the writer stores, read back by the specification (zarr/testing.h).
#include "zarr/chunks/array_writer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rechunk/error.h"
#include "zarr/chunks/testing.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

std::int64_t scratch_bytes(const ArrayLayout& layout) {
  return ArrayWriter::unit_scratch_bytes(layout) +
         ArrayWriter::object_scratch_bytes(layout);
}

struct Written {
  std::shared_ptr<Store> store = make_memory_store();
  std::shared_ptr<const ArrayLayout> layout;
  StageReport report;
  std::int64_t arena_left = 0;
};

// Writes with no more memory than the writer says that it takes.
Written write(std::shared_ptr<const ArrayLayout> layout,
              const Elements& elements, bool write_empty_chunks = false) {
  Written written{.layout = layout};
  MemoryBudget budget(scratch_bytes(*layout));
  Arena arena = budget.acquire(budget.limit());
  const ArrayWriter writer(
      written.store, "a/b", layout,
      write_empty_chunks ? EmptyChunks::kWrite : EmptyChunks::kLeaveOut);
  write_elements(writer, elements, arena, written.report);
  written.arena_left = arena.used();
  return written;
}

struct Listing {
  std::int64_t objects = 0, bytes = 0;
};

Listing list(const Store& store) {
  Listing listing;
  store.list("", [&](std::string_view, std::int64_t bytes) {
    ++listing.objects;
    listing.bytes += bytes;
  });
  return listing;
}

bool is_fill(const Elements& elements, const Region& region,
             const ArrayLayout& layout) {
  bool only = true;
  for_each_point(region, [&](const Shape& point) {
    only &=
        std::equal(layout.fill.begin(), layout.fill.end(), elements.at(point));
  });
  return only;
}

// Cells of a grid over the array, and those of them that hold only fill.
struct Cells {
  std::int64_t all = 0, empty = 0;
};
Cells count_cells(const Elements& elements, const ArrayLayout& layout,
                  const Shape& cell_shape) {
  const Grid grid(layout.shape, cell_shape);
  Cells cells{grid.cell_count(), 0};
  for (std::int64_t cell = 0; cell < cells.all; ++cell)
    cells.empty += is_fill(elements, grid.cell(cell), layout);
  return cells;
}

void check_report(const Written& written, const Cells& objects,
                  const Cells& chunks) {
  const Listing listing = list(*written.store);
  const std::int64_t chunk_bytes = written.layout->chunk_bytes();
  const Counts& counted = written.report.counted;
  const Counts& skipped = written.report.skipped;
  EXPECT_EQ(listing.objects, objects.all - objects.empty);
  EXPECT_EQ(counted.objects_written, objects.all - objects.empty);
  EXPECT_EQ(skipped.objects_written, objects.empty);
  EXPECT_EQ(counted.bytes_encoded, (chunks.all - chunks.empty) * chunk_bytes);
  EXPECT_EQ(skipped.bytes_encoded, chunks.empty * chunk_bytes);
  EXPECT_EQ(counted.stored_bytes_written, listing.bytes);
}

TEST(ArrayWriter, WritesWhatTheSpecificationReads) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto layout = share_layout(
        random_metadata(random, random_shape(random), random_type(random)));
    const Elements elements = random_elements(random, *layout);
    const Written written = write(layout, elements);
    ASSERT_EQ(stored_elements(*written.store, "a/b", *layout), elements);
    check_report(written, count_cells(elements, *layout, layout->object_shape),
                 count_cells(elements, *layout, layout->chunk_shape));
    EXPECT_EQ(written.arena_left, 0);
    if (HasFailure()) return;
  }
}

TEST(ArrayWriter, WritesEmptyChunksWhereAskedTo) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto layout = share_layout(
        random_metadata(random, random_shape(random), random_type(random)));
    const Elements elements = random_elements(random, *layout);
    const Written written = write(layout, elements, true);
    ASSERT_EQ(stored_elements(*written.store, "a/b", *layout), elements);
    Cells objects = count_cells(elements, *layout, layout->object_shape);
    Cells chunks = count_cells(elements, *layout, layout->chunk_shape);
    objects.empty = chunks.empty = 0;
    check_report(written, objects, chunks);
    if (HasFailure()) return;
  }
}

// A shard may come in pieces of whole units, in any order.
TEST(ArrayWriter, TakesShardsInPieces) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const auto layout = share_layout(random_metadata(
        random, {pick(random, 1, 12), pick(random, 1, 12)}, random_type(random),
        pick(random, 0, 1) ? ShardDepth::kAlways : ShardDepth::kNested));
    const Elements elements = random_elements(random, *layout);
    const auto store = make_memory_store();
    const ArrayWriter writer(store, "", layout, EmptyChunks::kLeaveOut);
    MemoryBudget budget(scratch_bytes(*layout));
    Arena arena = budget.acquire(budget.limit());
    StageReport report;
    Bytes chunk;
    const ChunkBytes chunks = [&](const Shape& start) {
      chunk = chunk_of(elements, *layout, start);
      return std::span<const std::byte>(chunk);
    };
    const Grid units(layout->shape, layout->shards[0].chunk_shape);
    for (std::int64_t index = 0; index < writer.objects().cell_count();
         ++index) {
      const ArenaScope scope(arena);
      const Shape object = writer.objects().coordinates(index);
      const auto shard = writer.open_shard(object, arena);
      std::vector<Region> parts;
      for_each_point(
          units.cells_touching(writer.objects().cell(object)),
          [&](const Shape& unit) { parts.push_back(units.cell(unit)); });
      std::shuffle(parts.begin(), parts.end(), random);
      for (const Region& part : parts)
        shard->append(part, chunks, arena, report);
      shard->finish(report);
    }
    ASSERT_EQ(stored_elements(*store, "", *layout), elements);
  }
}

TEST(ArrayWriter, LeavesNothingOfAShardThatIsNotFinished) {
  Random random(1);
  const auto layout = share_layout(
      random_metadata(random, {12, 11}, kSampleTypes[0], ShardDepth::kAlways));
  const Elements elements = random_elements(random, *layout);
  const auto store = make_memory_store();
  const ArrayWriter writer(store, "", layout, EmptyChunks::kWrite);
  MemoryBudget budget(scratch_bytes(*layout));
  Arena arena = budget.acquire(budget.limit());
  StageReport report;
  Bytes chunk;
  writer.open_shard({0, 0}, arena)
      ->append(
          writer.objects().cell(0),
          [&](const Shape& start) {
            chunk = chunk_of(elements, *layout, start);
            return std::span<const std::byte>(chunk);
          },
          arena, report);
  EXPECT_EQ(list(*store).objects, 0);
}

// Elements that compare equal but have other bits are not the fill value.
TEST(ArrayWriter, TellsFillFromNumbersThatLookLikeIt) {
  const auto layout_with_fill = [](const char* fill) {
    return share_layout(parse_array_v2(
        fmt::format(R"({{"zarr_format":2,"shape":[6],"chunks":[2],)"
                    R"("dtype":"<f4","fill_value":{},"order":"C",)"
                    R"("filters":null,"compressor":null}})",
                    fill),
        std::nullopt));
  };
  const auto objects_of = [&](const char* fill, std::array<float, 6> values) {
    Elements elements({{0}, {6}}, 4);
    std::memcpy(elements.bytes.data(), values.data(), sizeof values);
    return list(*write(layout_with_fill(fill), elements).store).objects;
  };
  EXPECT_EQ(objects_of("0.0", {0, 0, 0, -0.0F, 5, 0}), 2);
  EXPECT_EQ(objects_of("-0.0", {-0.0F, -0.0F, 0, 0, 0, -0.0F}), 2);
  EXPECT_EQ(objects_of("\"NaN\"", {NAN, NAN, -NAN, NAN, 1, NAN}), 2);
}

TEST(ArrayWriter, SaysWhereItCouldNotWrite) {
  class FullStore final : public Store {
   public:
    void read_many(std::span<ReadRequest>, const OnRead&) const override {}
    std::unique_ptr<ObjectWriter> open_writer(std::string_view,
                                              std::int64_t) override {
      throw Error(ErrorKind::kIo, "disk full");
    }
    bool create_if_absent(std::string_view,
                          std::span<const std::byte>) override {
      return false;
    }
    bool erase(std::string_view) override { return false; }
    void scan(std::string_view, const VisitListed&) const override {}
    std::string describe(std::string_view key) const override {
      return "/full/" + std::string(key);
    }
  };
  for (const auto depth : {ShardDepth::kNever, ShardDepth::kAlways}) {
    Random random(3);
    const auto layout =
        share_layout(random_metadata(random, {5}, kSampleTypes[4], depth));
    const ArrayWriter writer(std::make_shared<FullStore>(), "a", layout,
                             EmptyChunks::kWrite);
    MemoryBudget budget(scratch_bytes(*layout));
    Arena arena = budget.acquire(budget.limit());
    StageReport report;
    const Elements elements = random_elements(random, *layout);
    try {
      write_elements(writer, elements, arena, report);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
      const std::string place =
          "/full/a/" + chunk_key(layout->key_encoding, {0});
      EXPECT_NE(std::string(error.what()).find(place), std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace rechunk
