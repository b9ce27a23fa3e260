// Decodes what numcodecs encoded. The samples lie beside the checkout; without
// them these tests are skipped and say so.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "codec/codec.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

fs::path fixtures() {
  return fs::path(__FILE__).parent_path() /
         "../../../shared/fixtures/numcodecs";
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Sample {
  std::string bytes;  ///< The array's, in memory order.
  int item_bytes = 1;
};

/// The elements of a .npy file; nothing for Python objects.
std::optional<Sample> read_npy(const fs::path& path) {
  const std::string file = read_file(path);
  const bool is_v1 = file.at(6) == 1;
  const std::size_t length_bytes = is_v1 ? 2 : 4;
  std::size_t header_bytes = 0;
  for (std::size_t i = length_bytes; i-- > 0;)
    header_bytes =
        header_bytes << 8 | static_cast<unsigned char>(file.at(8 + i));
  const std::size_t start = 8 + length_bytes + header_bytes;
  const std::string header = file.substr(8 + length_bytes, header_bytes);
  const std::string key = "'descr': '";
  const auto at = header.find(key);
  if (at == std::string::npos || header.at(at + key.size() + 1) == 'O')
    return std::nullopt;
  Sample sample{file.substr(start), std::atoi(&header[at + key.size() + 2])};
  if (header.at(at + key.size() + 1) == 'U') sample.item_bytes *= 4;
  return sample;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

void expect_decodes(const CodecSpec& spec, const fs::path& encoded_path,
                    const Sample& sample) {
  const auto codec = make_codec(spec, sample.item_bytes);
  std::string decoded(sample.bytes.size(), '?');
  const std::string encoded = read_file(encoded_path);
  const auto size = codec->decode(bytes_of(encoded),
                                  std::as_writable_bytes(std::span(decoded)));
  EXPECT_EQ(static_cast<std::size_t>(size), decoded.size()) << encoded_path;
  EXPECT_TRUE(decoded == sample.bytes) << encoded_path;
}

/// Decodes all samples of one configuration; returns how many.
int check_configuration(const fs::path& folder, const CodecSpec& spec) {
  int count = 0;
  for (int index = 0; index < 100; ++index) {
    const auto encoded = folder / fmt::format("encoded.{:02}.dat", index);
    const auto array =
        folder.parent_path() / fmt::format("array.{:02}.npy", index);
    if (!fs::exists(encoded) || !fs::exists(array)) continue;
    const auto sample = read_npy(array);
    if (!sample) continue;
    expect_decodes(spec, encoded, *sample);
    ++count;
  }
  return count;
}

class FixturesTest : public testing::TestWithParam<const char*> {};

TEST_P(FixturesTest, WhatNumcodecsEncodedDecodesToItsArrays) {
  const fs::path root = fixtures() / GetParam();
  if (!fs::exists(root)) GTEST_SKIP() << "there is no folder " << root;
  int count = 0;
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root))
    if (fs::exists(entry.path() / "config.json")) folders.insert(entry.path());
  for (const auto& folder : folders) {
    const std::string configuration = read_file(folder / "config.json");
    const auto id =
        nlohmann::json::parse(configuration)["id"].get<std::string>();
    try {
      count += check_configuration(folder, {"numcodecs." + id, configuration});
    } catch (const Error& error) {
      // A blosc library without snappy, and filters of lzma.
      EXPECT_EQ(error.kind(), ErrorKind::kUnsupported)
          << folder << ": " << error.what();
      EXPECT_TRUE(configuration.find("snappy") != std::string::npos ||
                  configuration.find("\"format\": 3") != std::string::npos);
    }
  }
  EXPECT_GT(count, 10);
  RecordProperty("samples", count);
}

INSTANTIATE_TEST_SUITE_P(Numcodecs, FixturesTest,
                         testing::Values("blosc", "zstd", "gzip", "zlib", "lz4",
                                         "crc32c", "bz2", "lzma", "shuffle",
                                         "crc32", "adler32"));

}  // namespace
}  // namespace rechunk
