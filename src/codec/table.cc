// Questions to the table of codecs (codecs.h).
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "codec/codecs.h"

namespace rechunk {
namespace {

template <class Wanted>
const CodecRow* find_row(Wanted&& wanted) {
  const auto& rows = codec_rows();
  const auto found = std::find_if(rows.begin(), rows.end(), wanted);
  return found == rows.end() ? nullptr : *found;
}

}  // namespace

const std::vector<const CodecRow*>& codec_rows() {
  static const std::vector<const CodecRow*> kRows = [] {
    std::vector<const CodecRow*> rows;
    for (const auto& file : kCodecFiles)
      for (const CodecRow& row : file()) rows.push_back(&row);
    return rows;
  }();
  return kRows;
}

const CodecRow* find_codec(std::string_view name) {
  return find_row([&](const CodecRow* row) { return row->name == name; });
}

const CodecRow* find_v2_codec(std::string_view id) {
  const CodecRow* row = find_row(
      [&](const CodecRow* each) { return !id.empty() && each->v2_id == id; });
  // Codecs that only v2 has keep their id behind a prefix.
  return row ? row : find_codec(std::string(kNumcodecsPrefix).append(id));
}

CodecKind codec_kind(std::string_view name) {
  const CodecRow* row = find_codec(name);
  return row ? row->kind : CodecKind::kUnknown;
}

bool is_known_codec(std::string_view name) {
  const CodecRow* row = find_codec(name);
  return row && row->native;
}

std::unique_ptr<Codec> make_codec(const CodecSpec& spec,
                                  std::int64_t item_bytes) {
  const CodecRow* row = find_codec(spec.name);
  if (!row || !row->native)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("rechunk cannot decode {} yet", spec.name),
                kUndecodableHint);
  return row->native->make(Configuration(spec), item_bytes);
}

CodecCosts costs_of(const CodecSpec& spec) {
  const CodecRow* row = find_codec(spec.name);
  return row && row->native ? row->native->costs(Configuration(spec))
                            : CodecCosts{};
}

std::string no_members_from_v2(std::string_view, std::int64_t) { return "{}"; }
std::string no_members_to_v2(std::string_view) { return "{}"; }

}  // namespace rechunk
