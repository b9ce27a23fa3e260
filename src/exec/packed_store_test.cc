// Packed intermediates on their own: what is written raw or coded is read back.
#include "exec/packed_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/strided_copy.h"
#include "exec/coded_object.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Random = std::mt19937_64;

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

PackedStore::Options random_options(Random& random) {
  PackedStore::Options options;
  options.prefix = "pre";
  options.item_bytes = pick(random, 0, 1) ? 4 : pick(random, 1, 12);
  for (std::int64_t axis = pick(random, 2, 3); axis > 0; --axis) {
    const std::int64_t length = pick(random, 30, 50);
    options.shape.push_back(length);
    options.chunks.push_back(pick(random, 16, length));
    options.layout.units.push_back(pick(random, 16, length));
    options.layout.blocks.push_back(
        std::min(length, options.layout.units.back() * pick(random, 1, 3)));
  }
  options.component = options.shape;
  options.axis_order = c_order(static_cast<int>(options.shape.size()));
  std::shuffle(options.axis_order.begin(), options.axis_order.end(), random);
  options.fill.assign(static_cast<std::size_t>(options.item_bytes),
                      std::byte{0});
  options.coded = true;
  return options;
}

// Compressible elements, different everywhere: their position, mostly.
std::vector<std::byte> elements_of(const PackedStore::Options& options) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(
      element_count(options.shape) * options.item_bytes));
  for (std::size_t at = 0; at < bytes.size(); ++at)
    bytes[at] = static_cast<std::byte>(
        at / static_cast<std::size_t>(options.item_bytes) % 251 + 1);
  return bytes;
}

// Copies between a block and the elements of the whole array.
class Copies {
 public:
  explicit Copies(const PackedStore::Options& options)
      : options_(options),
        elements_(elements_of(options)),
        strides_(contiguous_strides(
            options.shape, c_order(static_cast<int>(options.shape.size())),
            options.item_bytes)),
        store_(memory_, options) {}

  MemoryBudget budget{64 << 20};
  Arena arena = budget.acquire(32 << 20);
  StageReport report;
  Pulse::Task pulse{nullptr};

  void write(std::int64_t task, const Region& region) {
    const ArenaScope scope(arena);
    const BlockLayout layout = store_.block_layout(region);
    Block block(layout, arena.take(layout.bytes()));
    block.put(region, elements_.data() + offset(region), strides_);
    store_.write(task, block, arena, pulse, report);
  }

  // All elements of a block are those that were written.
  void expect_read(const Region& region) {
    const ArenaScope scope(arena);
    const BlockLayout layout =
        BlockLayout::of_chunks(region, options_.layout.units,
                               options_.axis_order, options_.item_bytes);
    Block block(layout, arena.take(layout.bytes()));
    store_.read(block, arena, pulse, report);
    for_each_point(layout.cells_touching(region), [&](const Shape& cell) {
      const BlockLayout::Cell found = layout.cell(cell);
      for_each_point(found.region, [&](const Shape& point) {
        std::int64_t at = found.offset, from = 0;
        for (std::size_t axis = 0; axis < point.size(); ++axis) {
          at += (point[axis] - found.region.start[axis]) * found.strides[axis];
          from += point[axis] * strides_[axis];
        }
        ASSERT_EQ(
            std::memcmp(block.memory().data() + at, elements_.data() + from,
                        static_cast<std::size_t>(options_.item_bytes)),
            0);
      });
    });
  }

  std::shared_ptr<Store> memory() const { return memory_; }

 private:
  std::int64_t offset(const Region& region) const {
    std::int64_t bytes = 0;
    for (std::size_t axis = 0; axis < region.start.size(); ++axis)
      bytes += region.start[axis] * strides_[axis];
    return bytes;
  }

  const PackedStore::Options options_;
  const std::shared_ptr<Store> memory_ = make_memory_store();
  const std::vector<std::byte> elements_;
  const Shape strides_;
  PackedStore store_;
};

void for_each_cell(
    const Shape& shape, const Shape& cells,
    const std::function<void(std::int64_t, const Region&)>& visit) {
  const Grid grid(shape, cells);
  for (std::int64_t index = 0; index < grid.cell_count(); ++index)
    visit(index, grid.cell(index));
}

TEST(PackedStore, ReadsBackWhatWasWrittenRawOrCoded) {
  std::int64_t smaller = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const PackedStore::Options options = random_options(random);
    Copies copies(options);
    for_each_cell(options.shape, options.chunks,
                  [&](std::int64_t task, const Region& region) {
                    copies.write(task, region);
                  });
    std::int64_t stored = 0;
    copies.memory()->list(
        "", [&](std::string_view, std::int64_t bytes) { stored += bytes; });
    EXPECT_EQ(stored, copies.report.counted.stored_bytes_written);
    const std::int64_t raw = element_count(options.shape) * options.item_bytes;
    EXPECT_LE(stored, raw);
    smaller += stored < raw;
    for_each_cell(options.shape, options.layout.blocks,
                  [&](std::int64_t, const Region& region) {
                    copies.expect_read(region);
                  });
    EXPECT_EQ(copies.report.counted.bytes_decoded, raw);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(smaller, 20) << "hardly any object was coded";
}

PackedStore::Options plain_options() {
  PackedStore::Options options;
  options.prefix = "pre";
  options.shape = options.component = {64, 64, 64};
  options.chunks = {64, 64, 64};
  options.layout = {{32, 64, 64}, {32, 32, 32}};
  options.axis_order = c_order(3);
  options.item_bytes = 4;
  options.fill.assign(4, std::byte{0});
  options.coded = true;
  return options;
}

TEST(PackedStore, ReadsAnObjectThatWasReplacedByOneOfTheOtherKind) {
  const PackedStore::Options options = plain_options();
  Copies copies(options);
  std::set<std::int64_t> sizes;
  for (int round = 0; round < 4; ++round) {  // Both ways are tried.
    copies.write(0, whole(options.shape));
    copies.expect_read({{32, 0, 0}, {64, 64, 64}});
    copies.memory()->list(
        "", [&](std::string_view, std::int64_t bytes) { sizes.insert(bytes); });
  }
  EXPECT_EQ(sizes.size(), 2u);
}

TEST(PackedStore, NamesTheCodedObjectThatIsDamaged) {
  const PackedStore::Options options = plain_options();
  Random random(1);
  int refused = 0;
  for (int round = 0; round < 40; ++round) {
    Copies copies(options);
    copies.write(0, whole(options.shape));
    std::string bytes = read_text(*copies.memory(), "pre/0/0").value();
    ASSERT_LT(bytes.size(), 64u * 64 * 64 * 4) << "it is not coded";
    if (round % 2) {
      bytes.resize(static_cast<std::size_t>(
          pick(random, 2, static_cast<std::int64_t>(bytes.size()) - 1)));
    } else {
      for (int byte = 0; byte < 40; ++byte)
        bytes[static_cast<std::size_t>(pick(random, 0, 60))] =
            static_cast<char>(random());
    }
    write_text(*copies.memory(), "pre/0/0", bytes);
    try {
      copies.expect_read({{0, 0, 0}, {32, 64, 64}});
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
      EXPECT_NE(std::string(error.what()).find("pre/0/0"), std::string::npos);
    }
  }
  EXPECT_GT(refused, 20);
}

TEST(LightCodec, TakesNoMoreThanThePlanSetsAside) {
  for (const std::int64_t item_bytes : {1, 4, 8, 255, 1000})
    for (const std::int64_t piece_bytes : {1 << 12, 1 << 20, 1 << 28}) {
      const CodecChain codec = make_light_codec(item_bytes);
      EXPECT_LE(codec.scratch_bytes(piece_bytes), CodedLayout::kHeapBytes);
      EXPECT_LE(codec.max_encoded_bytes(piece_bytes),
                CodedLayout::encoded_capacity(piece_bytes));
    }
}

TEST(CodingChoice, TakesTheQuickerWayAndTriesTheOtherNowAndThen) {
  for (const bool coded_is_quicker : {false, true}) {
    CodingChoice choice;
    int coded = 0;
    for (int object = 0; object < 200; ++object) {
      const bool chosen = choice.next();
      coded += chosen;
      choice.tell(chosen, 1000, 1000, chosen == coded_is_quicker ? 1 : 2);
    }
    EXPECT_GT(coded, 5);
    EXPECT_LT(coded, 195);
    EXPECT_EQ(coded > 100, coded_is_quicker);
  }
}

TEST(CodingChoice, CodesSlowlyForASlowDisk) {
  for (const double disk_ns_per_byte : {0.0, 4.0}) {
    CodingChoice choice(disk_ns_per_byte);
    int coded = 0;
    for (int object = 0; object < 200; ++object) {
      const bool chosen = choice.next();
      coded += chosen;
      // Coding takes a nanosecond more per byte, and saves half of them.
      choice.tell(chosen, 1000, chosen ? 500 : 1000, chosen ? 1.5e-6 : 5e-7);
    }
    EXPECT_EQ(coded > 100, disk_ns_per_byte > 0);
  }
}

}  // namespace
}  // namespace rechunk
