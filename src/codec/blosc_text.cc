#include "codec/blosc_text.h"

#include <fmt/format.h>

#include <array>

#include "codec/codec_words.h"
#include "json/raw_json.h"

namespace rechunk {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> kCompressors = {
    "lz4", "lz4hc", "blosclz", "snappy", "zlib", "zstd"};
/// v2 writes the index in this list, v3 writes the word.
constexpr std::array<std::string_view, 3> kShuffles = {"noshuffle", "shuffle",
                                                       "bitshuffle"};

/// Replaces v2's number by the word.
void name_shuffle(Json& members) {
  Json& shuffle = members["shuffle"];
  if (shuffle.is_string()) return;
  for (std::size_t value = 0; value < kShuffles.size(); ++value) {
    if (shuffle != value) continue;
    shuffle = kShuffles[value];
    return;
  }
  refuse_codec_text(
      fmt::format("blosc's shuffle {} is none of 0, 1, 2", shuffle.dump()));
}

std::int64_t typesize_of(std::int64_t item_bytes) {
  // The blosc header has one byte for it, and 1 stands for larger ones.
  return item_bytes >= 1 && item_bytes <= 255 ? item_bytes : 1;
}

/// The word for v2's number. -1 means that the element size decides.
std::string shuffle_name(std::string_view json, std::int64_t item_bytes) {
  auto number = raw_json::as_integer(json);
  if (number == -1) number = item_bytes == 1 ? 2 : 1;
  if (!number || *number < 0 || *number > 2)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("codec blosc: unknown shuffle {}",
                            raw_json::excerpt(json)));
  return raw_json::quote(kShuffles[*number]);
}

}  // namespace

std::string blosc_from_words(const CodecWords& words) {
  return Json{{"cname", choice_word(words, 1, "lz4", kCompressors)},
              {"clevel", level_word(words, 2, 5, {0, 9})},
              {"shuffle", choice_word(words, 3, "shuffle", kShuffles)},
              {"blocksize", 0}}
      .dump();
}

CodecSpec chosen_blosc(Json members) {
  members = with_presets(std::move(members),
                         {{"cname", "lz4"}, {"clevel", 5}, {"shuffle", 1}});
  name_shuffle(members);
  return {"blosc", with_presets(std::move(members), {{"blocksize", 0}}).dump()};
}

std::string blosc_from_v2(std::string_view json, std::int64_t item_bytes) {
  using raw_json::value_or;
  const std::int64_t typesize = typesize_of(item_bytes);
  return fmt::format(R"({{"typesize": {}, "cname": {}, "clevel": {}, )"
                     R"("shuffle": {}, "blocksize": {}}})",
                     typesize, value_or(json, "cname", "\"lz4\""),
                     value_or(json, "clevel", "5"),
                     shuffle_name(value_or(json, "shuffle", "1"), typesize),
                     value_or(json, "blocksize", "0"));
}

std::string blosc_to_v2(std::string_view configuration) {
  using raw_json::value_or;
  const std::string shuffle = value_or(configuration, "shuffle", "\"shuffle\"");
  int number = -1;
  for (int i = 0; i < 3; ++i)
    if (raw_json::as_string(shuffle) == kShuffles[i]) number = i;
  if (number < 0)
    throw Error(ErrorKind::kUnsupported,
                "codec blosc: unknown shuffle " + raw_json::excerpt(shuffle));
  return fmt::format(
      R"({{"cname": {}, "clevel": {}, "shuffle": {}, "blocksize": {}}})",
      value_or(configuration, "cname", "\"lz4\""),
      value_or(configuration, "clevel", "5"), number,
      value_or(configuration, "blocksize", "0"));
}

std::string completed_blosc(std::string_view configuration,
                            std::int64_t item_bytes) {
  if (raw_json::find(configuration, "typesize"))
    return std::string(configuration);
  return raw_json::with_member(configuration, "typesize",
                               std::to_string(typesize_of(item_bytes)));
}

std::string canonical_blosc(std::string_view configuration) {
  const auto shuffle = raw_json::find(configuration, "shuffle");
  if (!shuffle || raw_json::as_string(*shuffle) != "noshuffle")
    return std::string(configuration);
  // The size of elements matters only for the shuffle.
  return raw_json::without_member(configuration, "typesize");
}

}  // namespace rechunk
