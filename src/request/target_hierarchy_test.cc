#include "request/target_hierarchy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "rechunk/error.h"
#include "zarr/documents/dimension_names.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"

namespace rechunk {
namespace {

constexpr const char* kZstd = R"({"name":"zstd","configuration":{"level":1}})";

std::string inner_codecs(const char* compressor) {
  return fmt::format(
      R"({{"name":"bytes","configuration":{{"endian":"little"}}}},{})",
      compressor);
}

ArrayMetadata make_array(const Shape& shape, const Shape& chunks,
                         const std::string& names,
                         const std::string& codecs = inner_codecs(kZstd)) {
  return parse_array_v3(fmt::format(
      R"({{"zarr_format":3,"node_type":"array","shape":[{}],)"
      R"("data_type":"float32","chunk_grid":{{"name":"regular",)"
      R"("configuration":{{"chunk_shape":[{}]}}}},)"
      R"("chunk_key_encoding":{{"name":"default"}},"fill_value":"NaN",)"
      R"("codecs":[{}],"attributes":{{"units":"K"}},)"
      R"("dimension_names":[{}]}})",
      fmt::join(shape, ","), fmt::join(chunks, ","), codecs, names));
}

ArrayMetadata make_sharded(const Shape& shape, const Shape& shards,
                           const Shape& chunks, const std::string& names) {
  return make_array(
      shape, shards, names,
      fmt::format(
          R"({{"name":"sharding_indexed","configuration":{{"chunk_shape":)"
          R"([{}],"codecs":[{}],"index_codecs":[{{"name":"bytes",)"
          R"("configuration":{{"endian":"little"}}}},"crc32c"]}}}})",
          fmt::join(chunks, ","), inner_codecs(kZstd)));
}

// Weather: a variable, its coordinates, and arrays of other dimensions.
Hierarchy weather() {
  Hierarchy source;
  source.groups[""] = {};
  source.groups["deep"] = {};
  source.consolidated = true;
  source.arrays["t2m"] =
      make_array({100, 60, 80}, {1, 60, 80}, R"("time","lat","lon")");
  source.arrays["deep/wind"] =
      make_array({100, 60, 80}, {2, 30, 80}, R"("time","lat","lon")");
  source.arrays["mask"] = make_array({60, 80}, {60, 80}, R"("lat","lon")");
  source.arrays["time"] = make_array({100}, {1}, R"("time")");
  source.arrays["deep/lat"] = make_array({60}, {7}, R"("lat")");
  source.arrays["station"] = make_array({90}, {9}, R"("place")");
  return source;
}

Hierarchy single(ArrayMetadata array) {
  Hierarchy source;
  source.root_is_array = true;
  source.arrays[""] = std::move(array);
  return source;
}

Options with_chunks(const std::string& chunks) {
  Options options;
  options.chunks = chunks;
  return options;
}

template <class Action>
std::string message_of(ErrorKind kind, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what() + (" " + error.hint());
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(TargetHierarchy, WithoutWishesIsTheSource) {
  const Hierarchy source = weather();
  const Hierarchy target = make_target_hierarchy(source, {});
  EXPECT_EQ(target.consolidated, true);
  ASSERT_EQ(target.arrays.size(), source.arrays.size());
  for (const auto& [path, array] : source.arrays)
    EXPECT_EQ(format_array(target.arrays.at(path)), format_array(array))
        << path;
  EXPECT_EQ(target.groups.size(), 2u);
}

TEST(TargetHierarchy, NamedDimensionsChangeWhereverTheyOccur) {
  const Hierarchy target =
      make_target_hierarchy(weather(), with_chunks("time=all,lon=9"));
  EXPECT_EQ(target.arrays.at("t2m").chunks, (Shape{100, 60, 9}));
  EXPECT_EQ(target.arrays.at("deep/wind").chunks, (Shape{100, 30, 9}));
  EXPECT_EQ(target.arrays.at("mask").chunks, (Shape{60, 9}));
  EXPECT_EQ(target.arrays.at("station").chunks, (Shape{9}));
}

TEST(TargetHierarchy, CoordinatesBecomeOneChunk) {
  for (const char* chunks : {"time=10", "10,10,10", "auto"}) {
    SCOPED_TRACE(chunks);
    const Hierarchy target =
        make_target_hierarchy(weather(), with_chunks(chunks));
    EXPECT_EQ(target.arrays.at("time").chunks, (Shape{100}));
    EXPECT_EQ(target.arrays.at("deep/lat").chunks, (Shape{60}));
  }
  for (const auto& [chunks, length] :
       {std::pair("time=8760", 8760), std::pair("time=all", 100),
        std::pair("time=-1,lat=200", 100)})
    EXPECT_EQ(make_target_hierarchy(weather(), with_chunks(chunks))
                  .arrays.at("time")
                  .chunks,
              (Shape{length}));
  Hierarchy growing = weather();
  growing.arrays["time"] = make_array({100}, {5000}, R"("time")");
  EXPECT_EQ(make_target_hierarchy(growing, with_chunks("lat=30"))
                .arrays.at("time")
                .chunks,
            (Shape{5000}));
  Options options = with_chunks("time=10");
  options.array_chunks = {{"time", "25"}};
  EXPECT_EQ(make_target_hierarchy(weather(), options).arrays.at("time").chunks,
            (Shape{25}));
}

TEST(TargetHierarchy, CoordinatesFollowAListThatHasOneMeaning) {
  const auto chunks_of = [](const Hierarchy& source, const char* chunks,
                            const char* path) {
    return make_target_hierarchy(source, with_chunks(chunks))
        .arrays.at(path)
        .chunks;
  };
  EXPECT_EQ(chunks_of(weather(), "8760,70,70", "time"), (Shape{8760}));
  EXPECT_EQ(chunks_of(weather(), "8760,70,70", "deep/lat"), (Shape{70}));
  EXPECT_EQ(chunks_of(weather(), "0=8760", "time"), (Shape{8760}));
  // "all" is today's length; a list of another rank says nothing of time.
  EXPECT_EQ(chunks_of(weather(), "all,70,9", "time"), (Shape{100}));
  EXPECT_EQ(chunks_of(weather(), "70,90", "time"), (Shape{100}));
  EXPECT_EQ(chunks_of(weather(), "70,90", "deep/lat"), (Shape{70}));
  EXPECT_EQ(chunks_of(weather(), "200", "station"), (Shape{200}));
  EXPECT_EQ(chunks_of(weather(), "200", "time"), (Shape{100}));
  // Two arrays of the list's rank, and the dimension stands elsewhere.
  Hierarchy turned = weather();
  turned.arrays["turned"] =
      make_array({60, 100, 80}, {60, 1, 80}, R"("lat","time","lon")");
  EXPECT_EQ(chunks_of(turned, "8760,70,9", "time"), (Shape{100}));
  EXPECT_EQ(chunks_of(turned, "8760,8760,9", "time"), (Shape{8760}));
}

TEST(TargetHierarchy, CoordinatesTooLargeToBeReadAtOnceStay) {
  Hierarchy source = weather();
  source.arrays["time"] = make_array({100000000}, {1000}, R"("time")");
  const Hierarchy target = make_target_hierarchy(source, with_chunks("lat=10"));
  EXPECT_EQ(target.arrays.at("time").chunks, (Shape{1000}));
}

TEST(TargetHierarchy, AListIsForTheArraysOfItsRank) {
  const Hierarchy target =
      make_target_hierarchy(weather(), with_chunks("50,10,all"));
  EXPECT_EQ(target.arrays.at("t2m").chunks, (Shape{50, 10, 80}));
  EXPECT_EQ(target.arrays.at("deep/wind").chunks, (Shape{50, 10, 80}));
  EXPECT_EQ(target.arrays.at("mask").chunks, (Shape{60, 80}));
}

TEST(TargetHierarchy, WhatIsSaidOfOneArrayWins) {
  Options options = with_chunks("time=all");
  options.array_chunks = {{"t2m", "3,4,5"}, {"mask", "lat=6"}};
  const Hierarchy target = make_target_hierarchy(weather(), options);
  EXPECT_EQ(target.arrays.at("t2m").chunks, (Shape{3, 4, 5}));
  EXPECT_EQ(target.arrays.at("mask").chunks, (Shape{6, 80}));
  EXPECT_EQ(target.arrays.at("deep/wind").chunks, (Shape{100, 30, 80}));
}

TEST(TargetHierarchy, NamesOfNothingAreRefused) {
  const auto refuse = [](const Options& options, const char* part) {
    const std::string text = message_of(ErrorKind::kInvalidArgument, [&] {
      make_target_hierarchy(weather(), options);
    });
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  refuse(with_chunks("height=3"), "dimension");
  refuse(with_chunks("1,2,3,4"), "dimension");
  Options options;
  options.array_chunks = {{"t3m", "1,1,1"}};
  refuse(options, "t3m");
  refuse(options, "deep/wind");  // Says what there is.
  options.array_chunks = {{"t2m", "1,1"}};
  refuse(options, "t2m");
}

TEST(TargetHierarchy, ShardsAreWholeChunksOrEndWithTheArray) {
  Options options = with_chunks("40,30");
  const Hierarchy source =
      single(make_array({1000, 700}, {10, 10}, R"("a","b")"));
  options.shards = "100,60";
  message_of(ErrorKind::kInvalidArgument,
             [&] { make_target_hierarchy(source, options); });
  options.shards = "120,all";
  EXPECT_EQ(shards_of(make_target_hierarchy(source, options).arrays.at("")),
            (Shape{120, 720}));
  options.shards = "120,60";
  const ArrayMetadata target =
      make_target_hierarchy(source, options).arrays.at("");
  EXPECT_EQ(target.chunks, (Shape{120, 60}));
  EXPECT_EQ(inner_chunks(target), (Shape{40, 30}));
  EXPECT_EQ(shards_of(target), (Shape{120, 60}));
}

TEST(TargetHierarchy, ShardsOfTheSourceAreKeptRoundedUpOrRemoved) {
  const Hierarchy source =
      single(make_sharded({1000, 700}, {100, 70}, {10, 10}, R"("a","b")"));
  const auto target = [&](const Options& options) {
    return make_target_hierarchy(source, options).arrays.at("");
  };
  const ArrayMetadata kept = target(with_chunks("30,7"));
  EXPECT_EQ(shards_of(kept), (Shape{120, 70}));
  EXPECT_EQ(inner_chunks(kept), (Shape{30, 7}));
  Options none = with_chunks("30,7");
  none.shards = "none";
  EXPECT_EQ(shards_of(target(none)), std::nullopt);
  EXPECT_EQ(target(none).chunks, (Shape{30, 7}));
  EXPECT_EQ(describe_codecs(target(none)), "zstd(1)");
  Options only_none;
  only_none.shards = "none";
  EXPECT_EQ(target(only_none).chunks, (Shape{10, 10}));
}

TEST(TargetHierarchy, CodecsReplaceThoseOfAllArrays) {
  Options options;
  options.codec = "blosc:lz4:5";
  const Hierarchy target = make_target_hierarchy(weather(), options);
  for (const auto& [path, array] : target.arrays) {
    EXPECT_EQ(describe_codecs(array).substr(0, 10), "blosc(lz4,") << path;
    EXPECT_EQ(inner_chunks(array), inner_chunks(weather().arrays.at(path)));
  }
  options.codec = "none";
  EXPECT_EQ(describe_codecs(
                make_target_hierarchy(weather(), options).arrays.at("t2m")),
            "none");
}

TEST(TargetHierarchy, FormatsAreConvertedWithWhatTheyMean) {
  Options options = with_chunks("time=all");
  options.zarr_format = 2;
  const Hierarchy v2 = make_target_hierarchy(weather(), options);
  EXPECT_EQ(v2.zarr_format, 2);
  const ArrayMetadata& array = v2.arrays.at("t2m");
  EXPECT_EQ(array.zarr_format, 2);
  EXPECT_EQ(array.chunks, (Shape{100, 60, 80}));
  EXPECT_EQ(dimension_names_of(array),
            (std::vector<std::string>{"time", "lat", "lon"}));
  const std::string attributes = array.attributes.value_or("");
  EXPECT_NE(attributes.find("_ARRAY_DIMENSIONS"), std::string::npos);
  EXPECT_NE(attributes.find("units"), std::string::npos);
  options.zarr_format = 3;
  const Hierarchy v3 = make_target_hierarchy(v2, options);
  EXPECT_EQ(v3.zarr_format, 3);
  EXPECT_EQ(make_layout(v3.arrays.at("t2m")).fill,
            make_layout(weather().arrays.at("t2m")).fill);
}

TEST(TargetHierarchy, ShardsForV2NeedToGoAndV3MayAddThem) {
  Options options = with_chunks("5,5");
  options.zarr_format = 2;
  const Hierarchy sharded =
      single(make_sharded({20, 20}, {10, 10}, {5, 5}, R"("a","b")"));
  message_of(ErrorKind::kUnsupported,
             [&] { make_target_hierarchy(sharded, options); });
  options.shards = "none";
  const Hierarchy v2 = make_target_hierarchy(sharded, options);
  EXPECT_EQ(v2.arrays.at("").chunks, (Shape{5, 5}));
  options.zarr_format = 3;
  options.shards = "10,20";
  EXPECT_EQ(shards_of(make_target_hierarchy(v2, options).arrays.at("")),
            (Shape{10, 20}));
}

TEST(TargetHierarchy, ConsolidationIsAsAskedForOrAsItWas) {
  Options options;
  EXPECT_TRUE(make_target_hierarchy(weather(), options).consolidated);
  options.consolidate = false;
  EXPECT_FALSE(make_target_hierarchy(weather(), options).consolidated);
}

TEST(TargetHierarchy, ADimensionThatNoArrayHasIsAMistake) {
  Options shards = with_chunks("time=all");
  shards.shards = "time=all,depth=4";
  for (const Options& options : {with_chunks("time=all,depth=4"), shards}) {
    const std::string message = message_of(ErrorKind::kInvalidArgument, [&] {
      make_target_hierarchy(weather(), options);
    });
    EXPECT_NE(message.find("\"depth\""), std::string::npos) << message;
    EXPECT_NE(message.find("lat, lon, place, time"), std::string::npos)
        << message;
  }
}

TEST(TargetHierarchy, WhatCannotBeDecodedStaysAndCanBeMoved) {
  Hierarchy source = weather();
  source.arrays["odd"] =
      make_array({60, 80}, {7, 7}, R"("x","y")", inner_codecs(R"("enigma")"));
  EXPECT_FALSE(is_decodable(source.arrays.at("odd")));
  EXPECT_TRUE(is_decodable(source.arrays.at("t2m")));
  const Hierarchy target =
      make_target_hierarchy(source, with_chunks("time=all"));
  EXPECT_TRUE(same_encoding(target.arrays.at("odd"), source.arrays.at("odd")));
}

TEST(TargetHierarchy,
     DimensionsLeaveOutWhatCannotBeDecodedUnlessNothingElseIs) {
  Hierarchy source = weather();
  source.arrays["names"] =
      make_array({60}, {7}, R"("lat")", inner_codecs(R"("enigma")"));
  const Hierarchy target = make_target_hierarchy(source, with_chunks("lat=20"));
  EXPECT_EQ(target.arrays.at("t2m").chunks, (Shape{1, 20, 80}));
  EXPECT_EQ(target.arrays.at("names").chunks, (Shape{7}));

  Hierarchy alone;
  alone.groups[""] = {};
  alone.arrays["names"] = source.arrays.at("names");
  const std::string message = message_of(ErrorKind::kUnsupported, [&] {
    make_target_hierarchy(alone, with_chunks("lat=20"));
  });
  EXPECT_NE(message.find("array names"), std::string::npos) << message;
  EXPECT_NE(message.find("enigma"), std::string::npos) << message;
}

}  // namespace
}  // namespace rechunk
