#include <blosc.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codec/codec.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

ErrorKind kind_of_failure(const CodecSpec& spec) {
  try {
    make_codec(spec, 4);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

TEST(CodecTableTest, KnowsTheNamesOfZarrAndOfNumcodecs) {
  for (const char* name :
       {"blosc", "zstd", "gzip", "crc32c", "numcodecs.zlib", "numcodecs.lz4",
        "numcodecs.blosc", "numcodecs.zstd", "numcodecs.gzip",
        "numcodecs.crc32c", "lz4", "zlib"}) {
    EXPECT_TRUE(is_known_codec(name)) << name;
    EXPECT_NE(make_codec({name, "{}"}, 4), nullptr) << name;
  }
  for (const char* name : {"", "numcodecs.", "bytes", "Blosc", "pickle"})
    EXPECT_FALSE(is_known_codec(name)) << name;
}

TEST(CodecTableTest, AnUnknownCodecIsUnsupportedAndTheHintSaysWhatWorks) {
  try {
    make_codec({"szip", "{}"}, 4);
    FAIL() << "szip was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_EQ(std::string(error.what()), "rechunk cannot decode szip yet");
    EXPECT_NE(error.hint().find("from_zarr"), std::string::npos);
  }
}

TEST(CodecTableTest, ValuesOutOfRangeAreRefused) {
  const CodecSpec kRefused[] = {
      {"zstd", R"({"level": 23})"},
      {"zstd", R"({"level": -131073})"},
      {"zstd", R"({"level": 18446744073709551615})"},
      {"zstd", R"({"level": "3"})"},
      {"zstd", R"({"level": 3.5})"},
      {"zstd", R"({"checksum": 1})"},
      {"gzip", R"({"level": 10})"},
      {"gzip", R"({"level": -2})"},
      {"blosc", R"({"clevel": 10})"},
      {"blosc", R"({"shuffle": 3})"},
      {"blosc", R"({"shuffle": "byteshuffle"})"},
      {"blosc", R"({"typesize": -1})"},
      {"blosc", R"({"blocksize": 2147483647})"},
      {"blosc", R"({"cname": 3})"},
      {"lz4", R"({"acceleration": true})"},
      {"zstd", "[]"},
      {"zstd", "{"},
      {"zstd", "\xff"},
      {"zstd", "{\"level\": \"\xff\"}"},
  };
  for (const CodecSpec& spec : kRefused)
    EXPECT_EQ(kind_of_failure(spec), ErrorKind::kInvalidArgument)
        << spec.name << " " << spec.configuration;
}

TEST(CodecTableTest, AbsentNullAndUnknownKeysAreAccepted) {
  EXPECT_NO_THROW(make_codec({"zstd", ""}, 4));
  EXPECT_NO_THROW(make_codec({"zstd", R"({"level": null})"}, 4));
  EXPECT_NO_THROW(make_codec({"zlib", R"({"id": "zlib", "level": 1})"}, 4));
  EXPECT_NO_THROW(make_codec({"blosc", R"({"cname": "lz4"})"}, 0));
}

TEST(CodecTableTest, BloscHasTheCompressorsOfItsLibrary) {
  const std::string listed = fmt::format(",{},", blosc_list_compressors());
  for (const char* name :
       {"lz4", "lz4hc", "blosclz", "zlib", "zstd", "snappy", "lzma"}) {
    const CodecSpec spec{"blosc", fmt::format(R"({{"cname": "{}"}})", name)};
    const bool has =
        listed.find(fmt::format(",{},", name)) != std::string::npos;
    if (has)
      EXPECT_NO_THROW(make_codec(spec, 4)) << name;
    else
      EXPECT_EQ(kind_of_failure(spec), ErrorKind::kUnsupported) << name;
  }
}

}  // namespace
}  // namespace rechunk
