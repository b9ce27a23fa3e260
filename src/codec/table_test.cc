#include <blosc.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "codec/codec_row.h"
#include "codec/codec_spec_text.h"
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

// What a row must say beyond what the compiler asks for.
TEST(CodecTableTest, EveryRowIsWhole) {
  std::set<std::string_view> names, ids, words;
  for (const CodecRow* row : codec_rows()) {
    SCOPED_TRACE(row->name);
    EXPECT_TRUE(names.insert(row->name).second) << "a name twice";
    EXPECT_NE(row->kind, CodecKind::kUnknown);
    EXPECT_EQ(find_codec(row->name), row);
    if (!row->v2_id.empty()) {
      EXPECT_TRUE(ids.insert(row->v2_id).second) << "a v2 id twice";
      EXPECT_EQ(find_v2_codec(row->v2_id), row);
      EXPECT_TRUE(row->from_v2 && row->to_v2);
    }
    for (const CodecMember& member : row->members.value_or(CodecMembers()))
      EXPECT_LE(member.min, member.max) << member.key;
    if (!row->short_form) continue;
    EXPECT_TRUE(row->native) << "a short form of what cannot be made";
    EXPECT_TRUE(words.insert(row->short_form->word).second) << "a word twice";
    EXPECT_FALSE(row->short_form->examples.empty());
  }
}

TEST(CodecTableTest, EveryCodecCostsSomething) {
  for (const CodecRow* row : codec_rows()) {
    const CodecCosts costs = costs_of({std::string(row->name), "{}"});
    EXPECT_EQ(costs.decode_ns > 0 && costs.encode_ns > 0,
              is_known_codec(row->name))
        << row->name;
    EXPECT_GT(costs.stored_ratio, 0) << row->name;
    EXPECT_LE(costs.stored_ratio, 1) << row->name;
  }
}

// The hint of a wrong text shows them.
TEST(CodecTableTest, TheExamplesOfShortFormsAreRight) {
  std::string hint;
  try {
    parse_codec_specs("?");
  } catch (const Error& error) {
    hint = error.hint();
  }
  for (const CodecRow* row : codec_rows()) {
    if (!row->short_form) continue;
    const std::string examples(row->short_form->examples);
    EXPECT_NE(hint.find(examples), std::string::npos) << hint;
    for (std::size_t at = 0; at < examples.size();) {
      const auto end = std::min(examples.find(", ", at), examples.size());
      const auto specs = parse_codec_specs(examples.substr(at, end - at));
      ASSERT_EQ(specs.size(), 1u);
      EXPECT_EQ(specs[0].name, row->name);
      EXPECT_NE(make_codec(specs[0], 4), nullptr);
      at = end + 2;
    }
  }
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
