#include "codec/codec_spec_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "rechunk/error.h"

namespace rechunk {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string_view>;

constexpr const char* kForms =
    "the forms are zstd:3, blosc:lz4:5, blosc:zstd:3:bitshuffle, gzip:6, "
    "zlib:1, lz4, crc32c, none, several joined by +, or JSON as in metadata";
constexpr std::array<std::string_view, 6> kCompressors = {
    "lz4", "lz4hc", "blosclz", "snappy", "zlib", "zstd"};
constexpr std::array<std::string_view, 3> kShuffles = {"noshuffle", "shuffle",
                                                       "bitshuffle"};
constexpr int kMaxJsonDepth = 32;
constexpr std::size_t kMaxCodecs = 32;

[[noreturn]] void fail(const std::string& cause) {
  throw Error(ErrorKind::kInvalidArgument, cause, kForms);
}

Words split(std::string_view text, char separator) {
  Words words;
  for (;;) {
    const auto end = text.find(separator);
    words.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text = text.substr(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

int parse_level(std::string_view word, int lowest, int highest) {
  int level = 0;
  const auto end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, level);
  if (word.empty() || parsed.ec != std::errc() || parsed.ptr != end ||
      level < lowest || level > highest)
    fail(fmt::format("\"{}\" is not a level from {} to {}", word, lowest,
                     highest));
  return level;
}

template <std::size_t n>
std::string parse_choice(std::string_view word,
                         const std::array<std::string_view, n>& choices) {
  if (std::find(choices.begin(), choices.end(), word) == choices.end())
    fail(fmt::format("\"{}\" is none of {}", word, fmt::join(choices, ", ")));
  return std::string(word);
}

// One function per short name: words[0] is the name.

Json blosc_configuration(const Words& words) {
  const auto word = [&](std::size_t index, std::string_view preset) {
    return words.size() > index ? words[index] : preset;
  };
  return {{"cname", parse_choice(word(1, "lz4"), kCompressors)},
          {"clevel", parse_level(word(2, "5"), 0, 9)},
          {"shuffle", parse_choice(word(3, "shuffle"), kShuffles)},
          {"blocksize", 0}};
}

Json zstd_configuration(const Words& words) {
  return {{"level", words.size() > 1 ? parse_level(words[1], -131072, 22) : 0},
          {"checksum", false}};
}

Json deflate_configuration(const Words& words) {
  return {{"level", words.size() > 1 ? parse_level(words[1], 0, 9) : 5}};
}

Json lz4_configuration(const Words& words) {
  return {
      {"acceleration", words.size() > 1 ? parse_level(words[1], 1, 65537) : 1}};
}

Json no_configuration(const Words&) { return Json::object(); }

struct ShortName {
  std::string_view word;
  std::string_view name;  ///< In metadata.
  std::size_t max_words;  ///< The name included.
  Json (*configuration)(const Words& words);
};

constexpr ShortName kShortNames[] = {
    {"blosc", "blosc", 4, blosc_configuration},
    {"zstd", "zstd", 2, zstd_configuration},
    {"gzip", "gzip", 2, deflate_configuration},
    {"zlib", "numcodecs.zlib", 2, deflate_configuration},
    {"lz4", "numcodecs.lz4", 2, lz4_configuration},
    {"crc32c", "crc32c", 1, no_configuration},
};

CodecSpec parse_short(std::string_view text) {
  const Words words = split(trim(text), ':');
  for (const ShortName& entry : kShortNames) {
    if (entry.word != words[0]) continue;
    if (words.size() > entry.max_words)
      fail(fmt::format("\"{}\" has more than {} parts", trim(text),
                       entry.max_words));
    return {std::string(entry.name), entry.configuration(words).dump()};
  }
  fail(fmt::format("\"{}\" is not the short name of a codec", words[0]));
}

// JSON.

/// Codecs that arrange elements; --codec only replaces what follows them.
bool arranges_elements(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {
      "bytes", "transpose", "sharding_indexed", "vlen-utf8", "vlen-bytes"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// Of {"id": "blosc"}: v2 writes shuffle as a number, v3 as a word.
void convert_blosc_shuffle(Json& configuration) {
  if (!configuration.contains("shuffle")) configuration["shuffle"] = 1;
  Json& shuffle = configuration["shuffle"];
  if (shuffle.is_string()) return;
  for (std::size_t value = 0; value < kShuffles.size(); ++value) {
    if (shuffle != value) continue;
    shuffle = kShuffles[value];
    return;
  }
  fail(fmt::format("blosc's shuffle {} is none of 0, 1, 2", shuffle.dump()));
}

void set_default(Json& object, const char* key, const Json& value) {
  if (!object.contains(key)) object[key] = value;
}

/// {"id": ..., ...} as in numcodecs.
CodecSpec from_numcodecs(Json configuration) {
  if (!configuration["id"].is_string()) fail("a codec's \"id\" is no string");
  std::string name = configuration["id"];
  configuration.erase("id");
  if (name == "blosc") {
    set_default(configuration, "cname", "lz4");
    set_default(configuration, "clevel", 5);
    convert_blosc_shuffle(configuration);
    set_default(configuration, "blocksize", 0);
  } else if (name == "zstd") {
    set_default(configuration, "level", 0);
    set_default(configuration, "checksum", false);
  } else if (name == "gzip") {
    set_default(configuration, "level", 1);
  } else if (name == "crc32c" &&
             configuration.value("location", Json("end")) == "end") {
    configuration.erase("location");
  } else {
    name = "numcodecs." + name;
  }
  return {name, configuration.dump()};
}

/// {"name": ..., "configuration": {...}} as in Zarr v3.
CodecSpec from_v3(const Json& codec) {
  if (!codec["name"].is_string()) fail("a codec's \"name\" is no string");
  const std::string name = codec["name"];
  if (arranges_elements(name))
    fail(
        fmt::format("\"{}\" arranges elements; only codecs from bytes to "
                    "bytes can be chosen",
                    name));
  const Json configuration = codec.value("configuration", Json::object());
  if (!configuration.is_object())
    fail(fmt::format("the \"configuration\" of {} is no object", name));
  return {name, configuration.dump()};
}

CodecSpec from_json(const Json& codec) {
  if (codec.is_string()) return parse_short(codec.get<std::string>());
  if (!codec.is_object()) fail(fmt::format("{} is no codec", codec.dump()));
  if (codec.contains("name")) return from_v3(codec);
  if (codec.contains("id")) return from_numcodecs(codec);
  fail("a codec has neither \"name\" nor \"id\"");
}

Json parse_json(std::string_view text) {
  // The parser does not recurse, but writing the value out again would.
  const auto limit_depth = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxJsonDepth) fail("it is nested too deeply");
    return true;
  };
  try {
    return Json::parse(text, limit_depth);
  } catch (const Json::parse_error& error) {
    fail(fmt::format("it is not JSON (near byte {})", error.byte));
  }
}

std::vector<CodecSpec> parse_json_codecs(std::string_view text) {
  const Json json = parse_json(text);
  if (!json.is_array()) return {from_json(json)};
  std::vector<CodecSpec> specs;
  for (const Json& codec : json) specs.push_back(from_json(codec));
  return specs;
}

std::vector<CodecSpec> parse_any(std::string_view text) {
  if (text.empty()) fail("it is empty");
  if (text == "none" || text == "null") return {};
  if (text[0] == '{' || text[0] == '[') return parse_json_codecs(text);
  std::vector<CodecSpec> specs;
  for (std::string_view part : split(text, '+'))
    specs.push_back(parse_short(part));
  return specs;
}

// Metadata with too many codecs could not be read again.
std::vector<CodecSpec> parse_some(std::string_view text) {
  auto specs = parse_any(text);
  if (specs.size() > kMaxCodecs)
    fail(fmt::format("{} codecs, {} are allowed", specs.size(), kMaxCodecs));
  return specs;
}

}  // namespace

std::vector<CodecSpec> parse_codec_specs(std::string_view text) {
  const auto describe = [&] {
    return fmt::format("reading codec '{}'", text.substr(0, 200));
  };
  try {
    return with_context([&] { return parse_some(trim(text)); }, describe);
  } catch (const Json::exception&) {
    // Writing strings that are not UTF-8 fails.
    fail(describe() + ": it is not UTF-8 text");
  }
}

}  // namespace rechunk
