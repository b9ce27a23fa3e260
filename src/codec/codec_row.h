// All that is known of one codec: its row. A codec's file defines its rows
// beside its class; codecs.h lists the files. Whoever asks something about a
// codec asks its row, so nothing else has to be told of a new codec.
//
// Rows are constants. Their functions are pure, and may be used by many threads
// at once. Text that they take and give is JSON, as it stands in documents.
// Limits and scratch are told by the codec that a row makes (codec.h): they
// depend on its settings.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "codec/configuration.h"

namespace rechunk {

/// What runs a codec. Both are references, so that a row without costs does
/// not compile.
struct NativeCodec {
  /// Makes a codec for elements of `item_bytes`. Throws: as make_codec.
  std::unique_ptr<Codec> (&make)(const Configuration&, std::int64_t item_bytes);
  CodecCosts (&costs)(const Configuration&);
};

/// The words of a short form: "blosc:lz4:5" has three.
using CodecWords = std::vector<std::string_view>;

/// How people write a codec on a command line (codec_words.h).
struct ShortForm {
  std::string_view word;
  std::size_t max_words = 1;  ///< The first word included.
  std::string_view examples;  ///< "zstd:3"; several are joined by ", ".
  /// The configuration. Throws: invalid_argument.
  std::string (*configuration)(const CodecWords&);
};

/// A member that a configuration may have in a v3 document.
struct CodecMember {
  enum class Value { kInteger, kNumber, kText, kBoolean, kList, kAny };
  std::string_view key;
  Value value = Value::kAny;
  bool nullable = false;
  std::int64_t min = INT32_MIN, max = INT32_MAX;  ///< Of kInteger.
  bool shown = false;  ///< Descriptions for people have it.
};

using CodecMembers = std::span<const CodecMember>;

struct CodecRow {
  std::string_view name;  ///< As in v3 documents and in CodecSpec.
  CodecKind kind = CodecKind::kUnknown;
  /// Nothing: rechunk knows what documents say of the codec, and moves what it
  /// made as stored, but cannot decode it.
  std::optional<NativeCodec> native = {};
  std::optional<ShortForm> short_form = {};

  // Documents of v3.

  /// The members that readers know; the others are left out when a codec
  /// comes from v2. Nothing: all stay.
  std::optional<CodecMembers> members = {};
  /// zarr-python writes no empty configuration for it.
  bool is_bare = false;
  /// The configuration with what every reader needs.
  std::string (*completed)(std::string_view configuration,
                           std::int64_t item_bytes) = nullptr;
  /// One spelling of what means the same to a decoder.
  std::string (*canonical)(std::string_view configuration) = nullptr;

  // Documents of v2. "numcodecs.ID" is v2's ID, member by member; only others
  // need these.

  std::string_view v2_id = {};
  /// The configuration of {"id": ...}. Throws: corrupt.
  std::string (*from_v2)(std::string_view json,
                         std::int64_t item_bytes) = nullptr;
  /// An object of all members but the id. Throws: unsupported.
  std::string (*to_v2)(std::string_view configuration) = nullptr;
  /// {"id": ...} in the spelling that readers of v2 share.
  std::string (*standard_v2)(std::string_view json) = nullptr;

  /// The codec that a user means by {"id": ...}, whose other members these
  /// are. Throws: invalid_argument. nullptr: the members as they are.
  CodecSpec (*chosen)(nlohmann::ordered_json members) = nullptr;

  /// Size of the elements that a filter makes, if it is always the same. 0: its
  /// configuration names a type, or they stay as they are.
  std::int64_t encoded_item_bytes = 0;
};

/// All rows.
const std::vector<const CodecRow*>& codec_rows();

/// The row of a name; nullptr if there is none.
const CodecRow* find_codec(std::string_view name);

/// The row of what v2 calls `id`; nullptr if there is none.
const CodecRow* find_v2_codec(std::string_view id);

/// Names of v3 for what only numcodecs has: "numcodecs." and its id.
inline constexpr std::string_view kNumcodecsPrefix = "numcodecs.";

/// For rows: the configuration "{}", in any direction.
std::string no_members_from_v2(std::string_view json, std::int64_t item_bytes);
std::string no_members_to_v2(std::string_view configuration);

/// For rows: the same codec under another name of v3.
constexpr CodecRow renamed(std::string_view name, const NativeCodec& native) {
  return {.name = name, .kind = CodecKind::kBytesToBytes, .native = native};
}

}  // namespace rechunk
