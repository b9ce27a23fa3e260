#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "codec/codec.h"
#include "codec/codecs.h"

namespace rechunk {
namespace {

struct Row {
  std::string_view name;
  CodecFactory make;
};

constexpr std::array kCodecs = {
    Row{"blosc", make_blosc},
    Row{"zstd", make_zstd},
    Row{"gzip", make_gzip},
    Row{"zlib", make_zlib},
    Row{"lz4", make_lz4},
    Row{"crc32c", make_crc32c},
    Row{"numcodecs.blosc", make_blosc},
    Row{"numcodecs.zstd", make_numcodecs_zstd},
    Row{"numcodecs.gzip", make_gzip},
    Row{"numcodecs.zlib", make_zlib},
    Row{"numcodecs.lz4", make_lz4},
    Row{"numcodecs.crc32c", make_crc32c},
};

const Row* find_row(std::string_view name) {
  const auto found =
      std::find_if(kCodecs.begin(), kCodecs.end(),
                   [&](const Row& row) { return row.name == name; });
  return found == kCodecs.end() ? nullptr : found;
}

}  // namespace

bool is_known_codec(std::string_view name) { return find_row(name) != nullptr; }

std::string known_codecs() {
  std::string names;
  for (const Row& row : kCodecs)
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

std::unique_ptr<Codec> make_codec(const CodecSpec& spec,
                                  std::int64_t item_bytes) {
  const Row* row = find_row(spec.name);
  if (!row)
    throw Error(ErrorKind::kUnsupported,
                fmt::format("rechunk cannot decode {} yet", spec.name),
                kUndecodableHint);
  return row->make(Configuration(spec), item_bytes);
}

}  // namespace rechunk
