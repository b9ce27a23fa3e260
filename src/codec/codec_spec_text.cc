#include "codec/codec_spec_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "codec/codec_words.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxJsonDepth = 32;
constexpr std::size_t kMaxCodecs = 32;

CodecWords split(std::string_view text, char separator) {
  CodecWords words;
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

CodecSpec parse_short(std::string_view text) {
  const CodecWords words = split(trim(text), ':');
  for (const CodecRow* row : codec_rows()) {
    const auto& form = row->short_form;
    if (!form || form->word != words[0]) continue;
    if (words.size() > form->max_words)
      refuse_codec_text(fmt::format("\"{}\" has more than {} parts", trim(text),
                                    form->max_words));
    return {std::string(row->name), form->configuration(words)};
  }
  refuse_codec_text(
      fmt::format("\"{}\" is not the short name of a codec", words[0]));
}

// JSON.

/// A new codec only replaces what follows the codecs that arrange elements.
bool arranges_elements(std::string_view name) {
  const CodecKind kind = codec_kind(name);
  return kind == CodecKind::kArrayToArray || kind == CodecKind::kArrayToBytes;
}

/// {"id": ..., ...} as in numcodecs.
CodecSpec from_numcodecs(Json configuration) {
  if (!configuration["id"].is_string())
    refuse_codec_text("a codec's \"id\" is no string");
  const std::string id = configuration["id"];
  configuration.erase("id");
  const CodecRow* row = find_v2_codec(id);
  if (row && row->chosen) return row->chosen(std::move(configuration));
  return {std::string(kNumcodecsPrefix) + id, configuration.dump()};
}

/// {"name": ..., "configuration": {...}} as in Zarr v3.
CodecSpec from_v3(const Json& codec) {
  if (!codec["name"].is_string())
    refuse_codec_text("a codec's \"name\" is no string");
  const std::string name = codec["name"];
  if (arranges_elements(name))
    refuse_codec_text(
        fmt::format("\"{}\" arranges elements; only codecs from bytes to "
                    "bytes can be chosen",
                    name));
  const Json configuration = codec.value("configuration", Json::object());
  if (!configuration.is_object())
    refuse_codec_text(
        fmt::format("the \"configuration\" of {} is no object", name));
  return {name, configuration.dump()};
}

CodecSpec from_json(const Json& codec) {
  if (codec.is_string()) return parse_short(codec.get<std::string>());
  if (!codec.is_object())
    refuse_codec_text(fmt::format("{} is no codec", codec.dump()));
  if (codec.contains("name")) return from_v3(codec);
  if (codec.contains("id")) return from_numcodecs(codec);
  refuse_codec_text("a codec has neither \"name\" nor \"id\"");
}

Json parse_json(std::string_view text) {
  // The parser does not recurse, but writing the value out again would.
  const auto limit_depth = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxJsonDepth) refuse_codec_text("it is nested too deeply");
    return true;
  };
  try {
    return Json::parse(text, limit_depth);
  } catch (const Json::parse_error& error) {
    refuse_codec_text(fmt::format("it is not JSON (near byte {})", error.byte));
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
  if (text.empty()) refuse_codec_text("it is empty");
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
    refuse_codec_text(
        fmt::format("{} codecs, {} are allowed", specs.size(), kMaxCodecs));
  return specs;
}

}  // namespace

std::string known_codecs() {
  std::vector<std::string_view> names;
  for (const CodecRow* row : codec_rows()) {
    std::string_view name = row->name;
    if (name.starts_with(kNumcodecsPrefix))
      name.remove_prefix(kNumcodecsPrefix.size());
    if (row->native &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void refuse_codec_text(const std::string& cause) {
  std::string forms;
  for (const CodecRow* row : codec_rows())
    if (row->short_form) forms += std::string(row->short_form->examples) + ", ";
  throw Error(ErrorKind::kInvalidArgument, cause,
              "the forms are " + forms +
                  "none, several joined by +, or JSON as in metadata");
}

int level_word(const CodecWords& words, std::size_t index, int preset,
               IntegerRange range) {
  if (index >= words.size()) return preset;
  const std::string_view word = words[index];
  int level = 0;
  const auto end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, level);
  if (word.empty() || parsed.ec != std::errc() || parsed.ptr != end ||
      level < range.min || level > range.max)
    refuse_codec_text(fmt::format("\"{}\" is not a level from {} to {}", word,
                                  range.min, range.max));
  return level;
}

std::string choice_word(const CodecWords& words, std::size_t index,
                        std::string_view preset,
                        std::span<const std::string_view> choices) {
  const std::string_view word = index < words.size() ? words[index] : preset;
  if (std::find(choices.begin(), choices.end(), word) == choices.end())
    refuse_codec_text(
        fmt::format("\"{}\" is none of {}", word, fmt::join(choices, ", ")));
  return std::string(word);
}

Json with_presets(Json members, const Json& presets) {
  for (const auto& [key, value] : presets.items())
    if (!members.contains(key)) members[key] = value;
  return members;
}

std::vector<CodecSpec> parse_codec_specs(std::string_view text) {
  const auto describe = [&] {
    return fmt::format("reading codec '{}'", text.substr(0, 200));
  };
  try {
    return with_context([&] { return parse_some(trim(text)); }, describe);
  } catch (const Json::exception&) {
    // Writing strings that are not UTF-8 fails.
    refuse_codec_text(describe() + ": it is not UTF-8 text");
  }
}

}  // namespace rechunk
