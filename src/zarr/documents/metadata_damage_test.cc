// Documents come from anywhere: damaged ones must end in an Error or in
// metadata that all other functions can take, never in anything else.
#include <gtest/gtest.h>

#include <random>

#include "rechunk/error.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/encoding.h"
#include "zarr/documents/layout.h"
#include "zarr/documents/metadata.h"
#include "zarr/documents/with_layout.h"

namespace rechunk {
namespace {

const std::string kDocuments[] = {
    R"({"zarr_format":2,"shape":[7,5],"chunks":[3,4],"dtype":"<M8[10s]",)"
    R"("fill_value":"NaT","order":"F","filters":[{"id":"delta","dtype":"<i8"}],)"
    R"("compressor":{"id":"blosc","cname":"lz4","clevel":5,"shuffle":-1}})",
    R"({"zarr_format":2,"shape":[7],"chunks":[3],"dtype":[["a",">f4",[2,3]],)"
    R"(["b",[["c","|S3"],["d","<U2"]]]],"fill_value":"AAAA","order":"C",)"
    R"("filters":null,"compressor":{"id":"zlib","level":1}})",
    R"({"zarr_format":3,"node_type":"array","shape":[12,8],"data_type":)"
    R"({"name":"struct","configuration":{"fields":[{"name":"a","data_type":)"
    R"("complex64"},{"name":"b","data_type":"r24"}]}},"fill_value":)"
    R"({"a":[1.5,"0x7fc00001"],"b":[1,2,3]},"chunk_grid":{"name":"regular",)"
    R"("configuration":{"chunk_shape":[6,4]}},"chunk_key_encoding":)"
    R"({"name":"v2","configuration":{"separator":"/"}},"codecs":[{"name":)"
    R"("transpose","configuration":{"order":[1,0]}},{"name":)"
    R"("sharding_indexed","configuration":{"chunk_shape":[2,3],"codecs":)"
    R"([{"name":"bytes","configuration":{"endian":"big"}},{"name":"zstd"}],)"
    R"("index_codecs":[{"name":"bytes"},{"name":"crc32c"}],)"
    R"("index_location":"start"}}],"dimension_names":["x",null],)"
    R"("attributes":{"a":[NaN,-Infinity,"\ud83d\ude00"]}})"};

std::string damaged(std::string text, std::mt19937& random) {
  const char* pieces[] = {"0",    "-1",      "{}",  "[]",
                          "null", "\"",      "}",   "]",
                          ",",    "true",    "NaN", "1e99",
                          "[",    "{\"a\":", "\\",  "99999999999999999999"};
  for (int i = 0, count = 1 + random() % 3; i < count; ++i) {
    const std::size_t at = random() % text.size();
    const std::size_t size = random() % 4;
    if (random() % 2)
      text.replace(at, size, pieces[random() % 16]);
    else
      text.insert(at, text.substr(random() % text.size(), random() % 20));
  }
  return text;
}

void use(const ArrayMetadata& metadata) {
  const auto quietly = [](auto&& action) {
    try {
      action();
    } catch (const Error&) {
    }
  };
  quietly([&] { make_layout(metadata); });
  quietly([&] { inner_chunks(metadata); });
  quietly([&] { describe_codecs(metadata); });
  quietly([&] { convert_format(metadata, 5 - metadata.zarr_format); });
  quietly([&] {
    with_layout(metadata, {Shape(metadata.shape.size(), 2), {}, {}});
  });
}

TEST(MetadataDamage, DamagedDocumentsDoNoWorseThanAnError) {
  std::mt19937 random(11);
  int readable = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string& source = kDocuments[i % 3];
    const std::string text = damaged(source, random);
    const bool v3 = i % 3 == 2;
    const auto parse = [&](const std::string& document) {
      return v3 ? parse_array_v3(document) : parse_array_v2(document, "{}");
    };
    ArrayMetadata metadata;
    try {
      metadata = parse(text);
    } catch (const Error&) {
      continue;
    }
    ++readable;
    use(metadata);
    // What was read is written such that it reads the same again.
    const std::string again = format_array(metadata).back().second;
    ASSERT_NO_THROW(metadata = parse(again)) << text << again;
    ASSERT_EQ(format_array(metadata).back().second, again) << text;
  }
  EXPECT_GT(readable, 100);
}

}  // namespace
}  // namespace rechunk
