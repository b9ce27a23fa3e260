#include "zarr/documents/hierarchy.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rechunk/error.h"
#include "store/forwarding_store.h"
#include "zarr/documents/convert.h"

namespace rechunk {
namespace {

constexpr const char* kZarray =
    R"({"zarr_format":2,"shape":[7,5],"chunks":[3,4],"dtype":"<f4",)"
    R"("fill_value":"NaN","order":"C","filters":null,"compressor":null})";
constexpr const char* kArrayV3 =
    R"({"zarr_format":3,"node_type":"array","shape":[7],"data_type":"int16",)"
    R"("chunk_grid":{"name":"regular","configuration":{"chunk_shape":[3]}},)"
    R"("chunk_key_encoding":{"name":"default"},"fill_value":0,)"
    R"("codecs":["bytes"]})";
constexpr const char* kGroupV3 =
    R"({"zarr_format":3,"node_type":"group","attributes":{ "a": NaN }})";

std::shared_ptr<Store> store_of(
    const std::vector<std::pair<std::string, std::string>>& objects) {
  auto store = make_memory_store();
  for (const auto& [key, text] : objects) write_text(*store, key, text);
  return store;
}

std::vector<std::string> keys(const Store& store) {
  std::vector<std::string> result;
  store.list("", [&](std::string_view key, std::int64_t) {
    result.emplace_back(key);
  });
  std::sort(result.begin(), result.end());
  return result;
}

template <class Map>
std::vector<std::string> paths(const Map& nodes) {
  std::vector<std::string> result;
  for (const auto& [path, node] : nodes) result.push_back(path);
  return result;
}

using Strings = std::vector<std::string>;

void expect_error(const Store& store, ErrorKind kind, const char* part) {
  try {
    read_hierarchy(store);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << error.what();
  }
}

TEST(Hierarchy, GroupsOfV2AreImpliedByTheArraysBelow) {
  const auto store = store_of({{"a b/\u00fc/.zarray", kZarray},
                               {"a b/\u00fc/0.0", "x"},
                               {"a b/.zattrs", "{ \"t\":1.0}"},
                               {"c/.zgroup", "{\"zarr_format\":2}"},
                               {"c/.DS_Store", "x"},
                               {".zmetadata", "not even JSON"}});
  const Hierarchy hierarchy = read_hierarchy(*store);
  EXPECT_EQ(hierarchy.zarr_format, 2);
  EXPECT_TRUE(hierarchy.consolidated);
  EXPECT_EQ(paths(hierarchy.arrays), Strings{"a b/\u00fc"});
  EXPECT_EQ(paths(hierarchy.groups), (Strings{"", "a b", "c"}));
  EXPECT_EQ(hierarchy.groups.at("a b").attributes, "{ \"t\":1.0}");
  EXPECT_FALSE(hierarchy.groups.at("c").attributes);
}

// Says that objects are shorter, or longer, than they are when they are read.
class ChangingStore final : public ForwardingStore {
 public:
  ChangingStore(std::shared_ptr<Store> store, std::int64_t more)
      : ForwardingStore(std::move(store)), more_(more) {}

  void scan(std::string_view prefix, const VisitListed& visit) const override {
    store_->scan(prefix, [&](std::string_view key, std::int64_t bytes) {
      return visit(key, bytes + more_);
    });
  }

 private:
  const std::int64_t more_;
};

TEST(Hierarchy, DocumentsMayBeReplacedAfterTheyWereListed) {
  const auto store = store_of({{"zarr.json", kGroupV3},
                               {"a/zarr.json", kArrayV3},
                               {"b/zarr.json", kArrayV3}});
  for (const std::int64_t more : {-1, 1, -20}) {
    const Hierarchy hierarchy = read_hierarchy(ChangingStore(store, more));
    EXPECT_EQ(paths(hierarchy.arrays), (Strings{"a", "b"}));
  }
}

TEST(Hierarchy, V3WinsWhereBothFormatsArePresent) {
  const auto store = store_of({{"zarr.json", kGroupV3},
                               {".zgroup", "{\"zarr_format\":2}"},
                               {"t/zarr.json", kArrayV3},
                               {"t/.zarray", kZarray},
                               {"old/.zarray", kZarray}});
  const Hierarchy hierarchy = read_hierarchy(*store);
  EXPECT_EQ(hierarchy.zarr_format, 3);
  EXPECT_FALSE(hierarchy.consolidated);
  EXPECT_EQ(paths(hierarchy.arrays), Strings{"t"});
  EXPECT_EQ(hierarchy.arrays.at("t").shape, Shape{7});
  EXPECT_EQ(hierarchy.groups.at("").attributes, "{ \"a\": NaN }");
}

TEST(Hierarchy, WhatLiesInsideAnArrayIsNoNode) {
  const auto v3 = store_of({{"zarr.json", kGroupV3},
                            {"t/zarr.json", kArrayV3},
                            {"t/c/zarr.json", "junk"}});
  EXPECT_EQ(paths(read_hierarchy(*v3).arrays), Strings{"t"});
  const auto v2 = store_of({{"t/.zarray", kZarray}, {"t/0/.zgroup", "junk"}});
  EXPECT_EQ(paths(read_hierarchy(*v2).groups), Strings{""});
}

TEST(Hierarchy, ARootArrayIsFoundWithoutAListing) {
  const auto v2 = store_of({{".zarray", kZarray}, {".zattrs", "{}"}});
  EXPECT_TRUE(read_hierarchy(*v2).root_is_array);
  EXPECT_EQ(read_hierarchy(*v2).arrays.at("").attributes, "{}");
  const auto v3 = store_of({{"zarr.json", kArrayV3}});
  EXPECT_TRUE(read_hierarchy(*v3).root_is_array);
  EXPECT_EQ(read_hierarchy(*v3).zarr_format, 3);
}

TEST(Hierarchy, WhatIsThereInsteadIsTold) {
  expect_error(*store_of({}), ErrorKind::kNotFound, "is empty");
  expect_error(*store_of({{"b.nc", "x"}, {"a.nc", "x"}}), ErrorKind::kNotFound,
               "found 2 files such as a.nc");
  expect_error(*store_of({{"sub/zarr.json", kArrayV3}}), ErrorKind::kNotFound,
               "holds \"sub\"");
}

TEST(Hierarchy, ErrorsNameTheNode) {
  expect_error(*store_of({{"zarr.json", kGroupV3}, {"g/t/zarr.json", "{"}}),
               ErrorKind::kCorrupt, "g/t");
  expect_error(*store_of({{"g/t/.zarray", "{}"}}), ErrorKind::kCorrupt, "g/t");
  expect_error(
      *store_of(
          {{"zarr.json", R"({"zarr_format":3,"node_type":"group","new":{}})"}}),
      ErrorKind::kUnsupported, "new");
}

TEST(Hierarchy, WritingGivesBackWhatWasRead) {
  const auto v2 = store_of({{".zattrs", "{\"n\":NaN}\n"},
                            {".zgroup", "{\"zarr_format\": 2}"},
                            {"g/.zgroup", "{\"zarr_format\": 2}"},
                            {"g/t/.zarray", kZarray},
                            {"g/t/.zattrs", "{\"x\": 1.0}"}});
  const auto v3 = store_of({{"zarr.json", kGroupV3},
                            {"g/zarr.json", kGroupV3},
                            {"g/t/zarr.json", kArrayV3}});
  for (const auto& source : {v2, v3}) {
    const Hierarchy read = read_hierarchy(*source);
    const auto target = make_memory_store();
    write_hierarchy(*target, read);
    EXPECT_EQ(keys(*target), keys(*source));
    const Hierarchy again = read_hierarchy(*target);
    EXPECT_EQ(paths(again.groups), paths(read.groups));
    for (const auto& [path, group] : read.groups)
      EXPECT_EQ(again.groups.at(path).attributes, group.attributes);
    EXPECT_EQ(format_array(again.arrays.at("g/t")),
              format_array(read.arrays.at("g/t")));
  }
}

TEST(Hierarchy, ConsolidatedMetadataIsThatOfTheNodesThemselves) {
  Hierarchy v2 = read_hierarchy(*store_of({{".zmetadata", "stale"},
                                           {".zattrs", "{\"n\":1}"},
                                           {"g/t/.zarray", kZarray},
                                           {"g/t/.zattrs", "{\"x\":2}"}}));
  const auto target = make_memory_store();
  write_hierarchy(*target, v2);
  const auto json = nlohmann::json::parse(*read_text(*target, ".zmetadata"));
  EXPECT_EQ(json["zarr_consolidated_format"], 1);
  const auto& nodes = json["metadata"];
  EXPECT_EQ(nodes.size(), 5u);
  for (const char* key :
       {".zattrs", ".zgroup", "g/.zgroup", "g/t/.zarray", "g/t/.zattrs"})
    EXPECT_EQ(nodes[key], nlohmann::json::parse(*read_text(*target, key)));

  const auto v3_target = make_memory_store();
  write_hierarchy(*v3_target, convert_format(v2, 3));
  const auto root = nlohmann::json::parse(*read_text(*v3_target, "zarr.json"));
  const auto& inner = root["consolidated_metadata"];
  EXPECT_EQ(inner["kind"], "inline");
  EXPECT_EQ(inner["must_understand"], false);
  EXPECT_EQ(inner["metadata"]["g/t"],
            nlohmann::json::parse(*read_text(*v3_target, "g/t/zarr.json")));
  EXPECT_EQ(inner["metadata"]["g"]["node_type"], "group");
  EXPECT_EQ(root["attributes"]["n"], 1);
  EXPECT_TRUE(read_hierarchy(*v3_target).consolidated);

  v2.consolidated = false;
  write_hierarchy(*target, v2);
  EXPECT_EQ(read_text(*target, ".zmetadata"), std::nullopt);
}

TEST(Hierarchy, ConversionTurnsEveryNode) {
  const Hierarchy v2 = read_hierarchy(
      *store_of({{"g/t/.zarray", kZarray}, {"s/.zarray", kZarray}}));
  const Hierarchy v3 = convert_format(v2, 3);
  const auto target = make_memory_store();
  write_hierarchy(*target, v3);
  EXPECT_EQ(keys(*target), (Strings{"g/t/zarr.json", "g/zarr.json",
                                    "s/zarr.json", "zarr.json"}));
}

TEST(Hierarchy, ErasingTakesTheMetadataOrEverything) {
  const std::vector<std::pair<std::string, std::string>> objects = {
      {".zgroup", "{}"},
      {".zmetadata", "{}"},
      {"t/.zarray", kZarray},
      {"t/0.0", "x"},
      {"readme", "x"}};
  const auto store = store_of(objects);
  EXPECT_TRUE(has_metadata(*store));
  erase_hierarchy(*store, false);
  EXPECT_EQ(keys(*store), (Strings{"readme", "t/0.0"}));
  EXPECT_FALSE(has_metadata(*store));
  const auto all = store_of(objects);
  erase_hierarchy(*all, true);
  EXPECT_TRUE(keys(*all).empty());
}

TEST(Hierarchy, MetadataIsNoticedEvenIfItCannotBeRead) {
  EXPECT_TRUE(has_metadata(*store_of({{"zarr.json", ""}})));
  EXPECT_TRUE(has_metadata(*store_of({{".zarray", "junk"}})));
  EXPECT_FALSE(has_metadata(*store_of({{"t/.zarray", kZarray}})));
}

}  // namespace
}  // namespace rechunk
