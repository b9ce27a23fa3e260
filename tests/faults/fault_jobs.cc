#include "fault_jobs.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

namespace rechunk::faults {
namespace {

constexpr std::int64_t kPlenty = 1 << 24;
const Shape kShape{24, 20, 22};

std::string list_of(const Shape& shape) {
  std::string text;
  for (const std::int64_t length : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(length);
  return "[" + text + "]";
}

// An array in one raw chunk: random, with a part that holds only the fill.
void put_raw_array(Store& store, const std::string& path, const Shape& shape,
                   const std::string& dimensions) {
  const std::string text = R"({"zarr_format": 3, "node_type": "array",
    "shape": )" + list_of(shape) +
                           R"(, "data_type": "uint16", "fill_value": 7,
    "attributes": {"units": "K", "_FillValue": NaN},
    "dimension_names": )" + dimensions +
                           R"(,
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": )" +
                           list_of(shape) + R"(}},
    "chunk_key_encoding": {"name": "default"},
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]})";
  write_text(store, join_key(path, "zarr.json"), text);
  std::string bytes(static_cast<std::size_t>(2 * element_count(shape)), '\0');
  std::mt19937 random(static_cast<std::uint32_t>(bytes.size()));
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    bytes[i] = i < bytes.size() / 2 ? static_cast<char>(random()) : '\7';
    bytes[i + 1] = i < bytes.size() / 2 ? static_cast<char>(random()) : '\0';
  }
  std::string key = "c";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) key += "/0";
  write_text(store, join_key(path, key), bytes);
}

std::shared_ptr<Store> raw_array(const Shape& shape) {
  const auto store = make_memory_store();
  put_raw_array(*store, "", shape, R"(["time", "lat", "lon"])");
  return store;
}

std::shared_ptr<Store> raw_group() {
  const auto store = make_memory_store();
  constexpr const char* kGroup = R"({"zarr_format": 3, "node_type": "group",
    "attributes": {"title": "a group"}})";
  write_text(*store, "zarr.json", kGroup);
  write_text(*store, "deep/zarr.json", kGroup);
  put_raw_array(*store, "air", kShape, R"(["time", "lat", "lon"])");
  put_raw_array(*store, "deep/sea", {24, 20}, R"(["time", "lat"])");
  put_raw_array(*store, "time", {24}, R"(["time"])");
  return store;
}

// The raw array or group, laid out as `options` ask for.
Objects laid_out(const std::shared_ptr<Store>& raw, Options options) {
  const Stores stores{.source = raw,
                      .target = make_memory_store(),
                      .temp = make_memory_store()};
  options.max_memory = kPlenty;
  if (options.codec.empty()) options.codec = "zstd:1+crc32c";
  Job("", "", options, stores).run();
  return objects_in(*stores.target);
}

Options with(std::string chunks, std::string shards = "",
             std::int64_t max_memory = kPlenty) {
  Options options;
  options.chunks = std::move(chunks);
  options.shards = std::move(shards);
  options.max_memory = max_memory;
  options.threads = 1;
  options.verify = true;
  return options;
}

int largest_array(const Plan& plan) {
  int largest = 0;
  for (int i = 1; i < static_cast<int>(plan.arrays.size()); ++i)
    if (element_count(plan.arrays[i].shape) >
        element_count(plan.arrays[largest].shape))
      largest = i;
  return largest;
}

// The largest budget that gives as many stages as wanted.
void find_budget(FaultJob& job) {
  for (std::int64_t budget = kPlenty; budget > 1000; budget = budget * 9 / 10) {
    job.options.max_memory = budget;
    const Plan plan = Job("", "", job.options, stores_for(job)).plan();
    const StagedCopySpec& array = plan.arrays[largest_array(plan)];
    if (static_cast<int>(array.stages.size()) != job.stages) continue;
    EXPECT_EQ(array.method, job.method) << job.name;
    return;
  }
  ADD_FAILURE() << job.name << ": no budget gives that many stages";
}

std::vector<FaultJob> make_jobs() {
  const auto array = raw_array(kShape), group = raw_group();
  Options v2 = with("3,20,7");
  v2.zarr_format = 2;
  v2.codec = "gzip:1";  // It has a checksum of its own.
  Options to_v3 = with("24,5,9");
  to_v3.zarr_format = 3;
  to_v3.codec = "blosc:lz4:5";
  Options consolidated = with("time=all,lat=3,lon=4");
  consolidated.consolidate = true;
  consolidated.array_chunks = {{"time", "5"}};
  Options one_array = with("");
  one_array.array_chunks = {{"air", "5,6,7"}};
  const Objects tree = laid_out(group, with("time=2"));
  const auto coded = [](Options options, const char* codec) {
    options.codec = codec;
    return options;
  };
  const Objects maps = laid_out(array, with("1,20,22"));
  // A codec without scratch, of which a small budget would leave nothing.
  const Objects long_maps =
      laid_out(raw_array({100, 20, 22}), coded(with("2,20,22"), "crc32c"));
  std::vector<FaultJob> jobs{
      {"direct", laid_out(array, with("5,20,22")), with("7,6,22")},
      {"staged", maps, with("24,3,4"), Method::kStaged, 2},
      {"three_stages", long_maps, with("100,1,2"), Method::kStaged, 3},
      {"passthrough", laid_out(array, with("5,9,22")), with("5,9,22"),
       Method::kPassthrough},
      {"shards", laid_out(array, with("2,10,11", "8,20,22")),
       with("12,5,6", "24,10,12")},
      {"v2_to_v3", laid_out(array, v2), to_v3},
      {"raw", laid_out(array, coded(with("5,20,22"), "none")), with("7,6,22"),
       Method::kDirect, 1, false},
      {"raw_shards", laid_out(array, coded(with("2,10,11", "8,20,22"), "none")),
       with("12,5,6", "none"), Method::kDirect, 1, false},
      {"group", tree, consolidated, Method::kStaged, 2},
      {"mostly_kept", tree, one_array},
  };
  for (FaultJob& job : jobs) {
    find_budget(job);
    const Stores stores = stores_for(job);
    Job("", "", job.options, stores).run();
    job.expected = objects_in(*stores.target);
    EXPECT_GT(job.expected.size(), 3u) << job.name;
  }
  return jobs;
}

}  // namespace

Objects objects_in(const Store& store) {
  Objects objects;
  store.list("", [&](std::string_view key, std::int64_t) {
    objects.emplace(key, read_text(store, key).value());
  });
  return objects;
}

std::shared_ptr<Store> store_of(const Objects& objects) {
  auto store = make_memory_store();
  for (const auto& [key, bytes] : objects) write_text(*store, key, bytes);
  return store;
}

const std::vector<FaultJob>& fault_jobs() {
  static const std::vector<FaultJob> jobs = make_jobs();
  return jobs;
}

Stores stores_for(const FaultJob& job) {
  return {.source = store_of(job.source),
          .target = make_memory_store(),
          .temp = make_memory_store(),
          .journal = make_memory_store()};
}

void forget_process(Store& journal) {
  for (const auto& [key, bytes] : objects_in(journal))
    if (key.starts_with("owner/") || key.starts_with("beat/"))
      journal.erase(key);
}

}  // namespace rechunk::faults
