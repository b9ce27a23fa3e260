#include "exec/chunk_passthrough.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "codec/crc32c.h"
#include "exec/testing.h"
#include "plan/planner.h"
#include "store/counting_store.h"
#include "zarr/chunks/object_marks.h"

namespace rechunk {
namespace {

using Chunks = std::map<Shape, Bytes>;  // By coordinates.

/// What may differ between two arrays of equal chunks.
struct Look {
  Shape objects;
  bool sharded = true;
  bool transposed_outside = false;
  bool at_start = false, crc32c = true, big_endian = false;
};

constexpr const char* kAnySize = R"({"name":"from_the_future"})";
constexpr const char* kGzip = R"({"name":"gzip","configuration":{"level":1}})";

std::string transpose_text(const std::vector<std::int64_t>& order) {
  return fmt::format(
      R"({{"name":"transpose","configuration":{{"order":{}}}}},)",
      json_list(order));
}

/// Codecs of an array whose chunks are transposed to `order` and have `codec`.
std::string codecs_text(const Look& look, const Shape& chunks,
                        const Shape& order, const std::string& codec) {
  const std::string bytes =
      R"({"name":"bytes","configuration":{"endian":"little"}},)" + codec;
  const std::string transpose = transpose_text(order);
  if (!look.sharded) return transpose + bytes;
  Shape box = chunks;
  if (look.transposed_outside)
    for (std::size_t i = 0; i < box.size(); ++i)
      box[i] = chunks[static_cast<std::size_t>(order[i])];
  return fmt::format(
      R"({}{{"name":"sharding_indexed","configuration":{{"chunk_shape":{},)"
      R"("codecs":[{}{}],"index_codecs":[{{"name":"bytes","configuration":)"
      R"({{"endian":"{}"}}}}{}],"index_location":"{}"}}}})",
      look.transposed_outside ? transpose : "", json_list(box),
      look.transposed_outside ? "" : transpose, bytes,
      look.big_endian ? "big" : "little", look.crc32c ? ",\"crc32c\"" : "",
      look.at_start ? "start" : "end");
}

ArrayMetadata array_of(const Shape& shape, const Look& look,
                       const Shape& chunks, const Shape& order,
                       const std::string& codec = kAnySize) {
  return parse_array_v3(fmt::format(
      R"({{"zarr_format":3,"node_type":"array","shape":{},"data_type":"int16",)"
      R"("chunk_grid":{{"name":"regular","configuration":{{"chunk_shape":{}}}}},)"
      R"("chunk_key_encoding":{{"name":"default"}},"fill_value":0,)"
      R"("codecs":[{}]}})",
      json_list(shape), json_list(look.objects),
      codecs_text(look, chunks, order, codec)));
}

Look random_look(Random& random, const Shape& chunks) {
  Look look{chunks,
            pick(random, 0, 3) != 0,
            pick(random, 0, 1) == 0,
            pick(random, 0, 1) == 0,
            pick(random, 0, 1) == 0,
            pick(random, 0, 1) == 0};
  if (look.sharded)
    for (std::int64_t& length : look.objects) length *= pick(random, 1, 5);
  return look;
}

/// Position of an index entry, by the specification.
std::size_t entry_of(const EncodedLayout& layout, const Shape& object,
                     const Shape& chunk) {
  std::size_t position = 0;
  for (const int axis : layout.shard->axis_order) {
    const std::int64_t count =
        layout.objects.cell_shape()[axis] / layout.chunks.cell_shape()[axis];
    position = position * static_cast<std::size_t>(count) +
               static_cast<std::size_t>(chunk[axis] - object[axis] * count);
  }
  return 16 * position;
}

void store_number(std::byte* at, std::uint64_t value, bool big_endian) {
  for (std::size_t i = 0; i < 8; ++i, value >>= 8)
    at[big_endian ? 7 - i : i] = static_cast<std::byte>(value & 0xff);
}

/// Calls visit(object, chunks) for all objects; chunks as a region.
template <class Visit>
void for_each_object(const EncodedLayout& layout, Visit&& visit) {
  for (std::int64_t i = 0; i < layout.objects.cell_count(); ++i)
    visit(layout.objects.coordinates(i),
          layout.chunks.cells_touching(layout.objects.cell(i)));
}

std::string key_of(const ChunkPassthrough::Side& side, const Shape& object) {
  return join_key(side.path, chunk_key(side.layout.key_encoding, object));
}

/// How chunks lie in their shards.
enum class Order { kRows, kShuffled, kWithGaps };

void write_chunks(const ChunkPassthrough::Side& side, const Chunks& chunks,
                  Random& random, Order order = Order::kWithGaps) {
  const EncodedLayout& layout = side.layout;
  for_each_object(layout, [&](const Shape& object, const Region& box) {
    std::vector<Shape> here;
    for_each_point(box, [&](const Shape& chunk) {
      if (chunks.contains(chunk)) here.push_back(chunk);
    });
    if (here.empty() && (!layout.shard || pick(random, 0, 1))) return;
    if (!layout.shard)
      return write_object(*side.store, key_of(side, object),
                          chunks.at(here[0]));
    if (order != Order::kRows) std::shuffle(here.begin(), here.end(), random);
    const ShardLevel& level = *layout.shard;
    Bytes index(static_cast<std::size_t>(level.index_bytes), std::byte{0xff});
    Bytes shard(level.index_at_start ? index.size() : 0);
    for (const Shape& chunk : here) {
      const Bytes& bytes = chunks.at(chunk);
      if (order == Order::kWithGaps && pick(random, 0, 2) == 0)
        shard.resize(shard.size() + 3);
      std::byte* entry = index.data() + entry_of(layout, object, chunk);
      store_number(entry, shard.size(), level.index_big_endian);
      store_number(entry + 8, bytes.size(), level.index_big_endian);
      shard.insert(shard.end(), bytes.begin(), bytes.end());
    }
    if (level.index_has_crc32c) {
      std::uint32_t sum = crc32c(std::span(index).first(index.size() - 4));
      for (std::size_t i = index.size() - 4; i < index.size(); ++i, sum >>= 8)
        index[i] = static_cast<std::byte>(sum & 0xff);
    }
    if (level.index_at_start)
      std::copy(index.begin(), index.end(), shard.begin());
    else
      shard.insert(shard.end(), index.begin(), index.end());
    write_object(*side.store, key_of(side, object), shard);
  });
}

/// All chunks of an array, read by the specification.
Chunks read_chunks(const ChunkPassthrough::Side& side) {
  const EncodedLayout& layout = side.layout;
  Chunks chunks;
  for_each_object(layout, [&](const Shape& object, const Region& box) {
    if (!read_text(*side.store, key_of(side, object))) return;
    const Bytes bytes = read_object(*side.store, key_of(side, object));
    if (!layout.shard) {
      chunks[object] = bytes;
      return;
    }
    const ShardLevel& level = *layout.shard;
    const auto size = static_cast<std::size_t>(level.index_bytes);
    const std::span<const std::byte> all(bytes);
    const auto index = level.index_at_start ? all.first(size) : all.last(size);
    if (level.index_has_crc32c) {
      const std::uint32_t sum = crc32c(index.first(size - 4));
      for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(index[size - 4 + i], static_cast<std::byte>(sum >> (8 * i)));
    }
    std::size_t sum = size, count_here = 0;
    for_each_point(box, [&](const Shape& chunk) {
      const auto entry = index.subspan(entry_of(layout, object, chunk), 16);
      const auto offset = load_number(entry, level.index_big_endian);
      const auto count = load_number(entry.last(8), level.index_big_endian);
      if (offset == ~std::uint64_t{0}) return;
      const auto part = all.subspan(offset, count);
      chunks[chunk] = Bytes(part.begin(), part.end());
      sum += count;
      ++count_here;
    });
    EXPECT_EQ(sum, bytes.size()) << "a shard has gaps";
    EXPECT_GT(count_here, 0u) << "a shard without chunks was written";
  });
  return chunks;
}

ArrayProblem moving(const EncodedLayout& source, const EncodedLayout& target,
                    std::int64_t item_bytes = 2) {
  const auto traits = [](const EncodedLayout& layout) {
    const Shape& chunks = layout.chunks.cell_shape();
    return ChunkTraits{layout.objects.cell_shape(), chunks, chunks, 0,
                       layout.index_bytes(),        0};
  };
  ArrayProblem problem;
  problem.shape = source.objects.shape();
  problem.item_bytes = item_bytes;
  problem.source = traits(source);
  problem.target = traits(target);
  problem.same_chunk_encoding = true;
  return problem;
}

/// What a task noted of its objects is what a later look at them finds.
void expect_notes(const ChunkPassthrough& copy, std::int64_t task,
                  StageReport& done) {
  StageReport now;
  copy.visit_sources(
      task, [&](const ReadRequest& request) { note_source(now, request); });
  Bytes buffer(100);
  copy.note_targets(task, buffer, now.written);
  sum_sources(now);
  sum_sources(done);
  EXPECT_EQ(now.read, done.read);
  EXPECT_EQ(now.written, done.written);
}

/// Plans within that memory and runs all tasks, each with what the plan says.
StageReport move_all(const ArrayProblem& problem, std::int64_t max_memory,
                     const ChunkPassthrough::Side& source,
                     const ChunkPassthrough::Side& target) {
  const Plan plan = make_plan({problem}, {max_memory, 1});
  validate(plan, {problem});
  const StagedCopySpec& spec = plan.arrays[0];
  EXPECT_EQ(spec.method, Method::kPassthrough);
  EXPECT_EQ(spec.stages[0].bytes_decoded, 0);
  const ChunkPassthrough copy(spec, source, target);
  MemoryBudget budget(spec.stages[0].max_task_bytes);
  Arena arena = budget.acquire(budget.limit());
  StageReport report;
  for (std::int64_t task = 0; task < spec.stages[0].tasks; ++task) {
    StageReport done = copy.run(0, task, arena).report;
    EXPECT_EQ(arena.used(), 0);
    expect_notes(copy, task, done);
    report += done;
  }
  expect_as_planned(report, spec.stages[0]);
  return report;
}

/// Random arrays with equal chunks, the source filled.
struct Pair {
  explicit Pair(Random& random, std::int64_t chunk_bytes = 300) {
    const Shape shape = random_shape(random);
    Shape chunks, order;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      chunks.push_back(pick(random, 1, 5));
      order.push_back(static_cast<std::int64_t>(axis));
    }
    std::shuffle(order.begin(), order.end(), random);
    const Look look = random_look(random, chunks);
    Look other = random_look(random, chunks);
    other.sharded |= !look.sharded;
    from = array_of(shape, look, chunks, order);
    to = array_of(shape, other, chunks, order);
    source = {make_memory_store(), "in", encoded_layout(from)};
    target = {make_memory_store(), "new/out", encoded_layout(to)};
    const int missing = static_cast<int>(pick(random, 0, 4));
    for (std::int64_t i = 0; i < source.layout.chunks.cell_count(); ++i)
      if (pick(random, 0, 4) >= missing)
        content[source.layout.chunks.coordinates(i)] =
            random_bytes(random, pick(random, 0, chunk_bytes));
    write_chunks(source, content, random);
  }

  ArrayMetadata from, to;
  ChunkPassthrough::Side source, target;
  Chunks content;
};

TEST(ChunkPassthrough, MovesChunksAsTheyAreBetweenAnyShards) {
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Pair pair(random, seed % 3 ? 300 : 20'000);
    ASSERT_TRUE(same_chunk_encoding(pair.from, pair.to));
    const ArrayProblem problem = moving(pair.source.layout, pair.target.layout,
                                        std::int64_t{1} << pick(random, 1, 24));
    const std::int64_t least = smallest_budget(problem);
    const std::int64_t budgets[] = {least, least + 7777, 1 << 22, 1 << 26};
    const StageReport report = move_all(problem, budgets[pick(random, 0, 3)],
                                        pair.source, pair.target);
    ASSERT_TRUE(read_chunks(pair.target) == pair.content);
    const auto [objects, bytes] = listed(*pair.target.store);
    EXPECT_EQ(report.counted.objects_written, objects);
    EXPECT_EQ(report.counted.stored_bytes_written, bytes);
    if (HasFailure()) return;
  }
}

TEST(ChunkPassthrough, MovesChunksLargerThanItsBuffer) {
  Random random(1);
  const Look shards{{4}}, plain{{2}, false};
  for (const auto& [look, other] :
       {std::pair(shards, plain), {plain, shards}, {shards, Look{{6}}}}) {
    const ChunkPassthrough::Side source{
        make_memory_store(), "",
        encoded_layout(array_of({12}, look, {2}, {0}))};
    const ChunkPassthrough::Side target{
        make_memory_store(), "",
        encoded_layout(array_of({12}, other, {2}, {0}))};
    Chunks content;
    for (std::int64_t i = 0; i < 6; ++i)
      content[{i}] = random_bytes(random, pick(random, 4000, 9000));
    write_chunks(source, content, random);
    const ArrayProblem problem = moving(source.layout, target.layout);
    move_all(problem, smallest_budget(problem), source, target);
    EXPECT_TRUE(read_chunks(target) == content);
  }
}

TEST(ChunkPassthrough, ReadsAnIndexOnceAndNeighboursTogether) {
  Random random(5);
  const Shape shape{64, 64}, chunks{4, 4}, order{0, 1};
  const auto layout = [&](const Shape& objects, bool sharded) {
    return encoded_layout(array_of(shape, {objects, sharded}, chunks, order));
  };
  Chunks content;
  for_each_point(whole({16, 16}), [&](const Shape& chunk) {
    content[chunk] = random_bytes(random, pick(random, 1, 500));
  });
  const auto requests = [&](const EncodedLayout& from, const EncodedLayout& to,
                            Order in_shards = Order::kShuffled) {
    const auto store = std::make_shared<CountingStore>(make_memory_store());
    const ChunkPassthrough::Side source{store, "", from};
    const ChunkPassthrough::Side target{make_memory_store(), "", to};
    write_chunks(source, content, random, in_shards);
    const StageReport report =
        move_all(moving(from, to), 1 << 24, source, target);
    EXPECT_TRUE(read_chunks(target) == content);
    return store->requests - report.counted.objects_read;  // Looked at again.
  };
  // Whole shards: an index and one range each.
  EXPECT_EQ(requests(layout({16, 16}, true), layout({64, 32}, true)), 32);
  EXPECT_EQ(requests(layout({16, 16}, true), layout({4, 4}, false)), 32);
  // Rows of chunks of a shard that is cut: 4 indices, and 8 ranges from each
  // shard for each of its halves.
  EXPECT_EQ(
      requests(layout({32, 32}, true), layout({64, 16}, true), Order::kRows),
      4 + 4 * 2 * 8);
  EXPECT_EQ(requests(layout({4, 4}, false), layout({64, 64}, true)), 256);
}

TEST(ChunkPassthrough, NamesWhatIsDamaged) {
  Random random(9);
  const auto array = [&](const Look& look) {
    return array_of({8}, look, {2}, {0}, kGzip);
  };
  const Look look{{4}, true, false, false, false};
  for (const Look& out : {Look{{8}}, Look{{2}, false}}) {
    const ChunkPassthrough::Side source{make_memory_store(), "",
                                        encoded_layout(array(look))};
    const ChunkPassthrough::Side target{make_memory_store(), "",
                                        encoded_layout(array(out))};
    const auto refuse = [&](const Bytes& shard, const std::string& cause) {
      write_object(*source.store, "c/1", shard);
      try {
        move_all(moving(source.layout, target.layout), 1 << 22, source, target);
        ADD_FAILURE() << cause << ": nothing was wrong";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
        const std::string text = error.what();
        EXPECT_NE(text.find(cause), std::string::npos) << text;
        EXPECT_NE(text.find("c/1"), std::string::npos) << text;
      }
      EXPECT_FALSE(read_text(*target.store, "c/0") && out.sharded);
    };
    const auto shard_of = [&](std::uint64_t offset, std::uint64_t bytes) {
      Bytes shard = random_bytes(random, 20'000);
      std::byte* index = shard.data() + shard.size() - 32;
      std::fill(index, index + 32, std::byte{0xff});
      store_number(index + 16, offset, false);
      store_number(index + 24, bytes, false);
      return shard;
    };
    refuse(random_bytes(random, 31), "cannot hold its index");
    refuse(shard_of(19'999, 2), "of a shard of 20000 bytes");
    refuse(shard_of(~std::uint64_t{0} - 1, 5), "of a shard of 20000 bytes");
    refuse(shard_of(10, 10'000), "it holds 10000 bytes");
  }
}

TEST(ChunkPassthrough, RefusesAChunkThatIsTooLongForAShard) {
  const ChunkPassthrough::Side source{
      make_memory_store(), "",
      encoded_layout(array_of({8}, {{2}, false}, {2}, {0}, kGzip))};
  const ChunkPassthrough::Side target{
      make_memory_store(), "",
      encoded_layout(array_of({8}, {{8}}, {2}, {0}, kGzip))};
  Random random(3);
  write_object(*source.store, "c/2", random_bytes(random, 9000));
  EXPECT_THROW(
      move_all(moving(source.layout, target.layout), 1 << 22, source, target),
      Error);
  EXPECT_FALSE(read_text(*target.store, "c/0"));
}

}  // namespace
}  // namespace rechunk
