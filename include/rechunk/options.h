// What a caller may choose for a job, and the table of its names.
//
// A new option is a member of `Options` and a row of `kOptionFields`. From
// there the Python package and plan files take it. The command has its flag
// (cli/flags.cc), Python its keyword (python/rechunk/api.py).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rechunk/notes.h"

namespace rechunk {

/// A text for each array, by path.
using TextByArray = std::vector<std::pair<std::string, std::string>>;
using Texts = std::vector<std::string>;

struct Options {
  // What the target looks like.
  /// Chunks of all arrays: "2000,10,10", "time=all,lat=10", "auto:100MB"; ""
  /// keeps the source's. Grammar: src/plan/chunk_spec.h. Arrays of a group that
  /// cannot be decoded are moved as stored.
  std::string chunks;
  /// The same for single arrays, by path; replaces `chunks` for them.
  TextByArray array_chunks;
  /// The same as one text, "NAME:CHUNKS" or "NAME:CODEC". NAME may contain
  /// colons: the longest NAME that is an array counts.
  Texts array_chunk_words, array_codec_words;
  /// Shards, in the same grammar; "none" removes them; "" keeps the source's,
  /// rounded up to multiples of the chunks.
  std::string shards;
  /// Bytes -> bytes codecs: JSON, or short like "zstd:3", "blosc:lz4:5",
  /// "none"; "" keeps the source's.
  std::string codec;
  /// Shards and codecs of single arrays, by path; replace the others for them.
  TextByArray array_shards, array_codecs;
  int zarr_format = 0;  ///< 2 or 3; 0 keeps the source's.
  /// NaN and Infinity in attributes become strings, because they are not valid
  /// JSON. If false, they are copied.
  bool nan_attributes_as_text = false;
  std::optional<bool> consolidate;  ///< Nothing: as in the source.
  bool write_empty_chunks = false;  ///< Also write chunks that hold only fill.

  // Or: write into a target that exists. It keeps its layout.
  /// The part that is written, on boundaries of the target's objects:
  /// "time=0:8760,lat=90:"; other dimensions are whole; "all": everything.
  std::string region;
  /// The dimension along which the source is written after the target's end.
  std::string append;

  // Memory, threads, places.
  std::int64_t max_memory = 0;  ///< Bytes; 0: half of the machine's memory.
  int threads = 0;              ///< 0: one per core.
  std::string temp;             ///< URL; "": a hidden folder beside the target.
  /// If the source is a file of kerchunk's references: places that it may name
  /// beside its own folder, with all that lies below them.
  Texts references_below;
  /// Before planning, measure the costs of codecs and of the disk on some of
  /// the source's chunks. The same job may then get another plan each time.
  /// Nothing: if the job is expected to take longer than ten seconds.
  std::optional<bool> calibrate;

  // Behaviour.
  /// Replace a target that exists. If it is a local path, the old one stays
  /// until the new one is complete. Other stores are erased first.
  bool overwrite = false;
  /// Replace a target that exists, and always erase the old one first: for
  /// links, mount points and disks without room for both.
  bool overwrite_in_place = false;
  bool verify = false;  ///< Decode the target again and compare digests.
  /// A job with notes fails: when it is planned or, if a note is only found
  /// during the run, before its target is visible.
  bool strict = false;
  /// The caller's notes on the source. They become notes of the plan.
  Notes notes;
  /// Do not copy files of the source that are not Zarr.
  bool without_files = false;
  /// Distinguishes jobs whose stores have no URL; part of the plan file.
  std::string token;
  bool keep_temp = false;  ///< Leave intermediates behind, for inspection.
  /// Sync the disk before the journal says that tasks are done, and before the
  /// run ends. All places must be paths.
  bool durable = false;
};

/// What plan files keep of an option.
enum class InPlanFile {
  kNo,       ///< The plan has it: chunks, memory, ...
  kWork,     ///< Every process needs it. Runs that differ in it do other work.
  kConduct,  ///< Every process needs it. The work is the same.
};

/// A member of `Options` that callers set by its name.
struct OptionField {
  std::string_view name;
  std::variant<bool Options::*, int Options::*, std::int64_t Options::*,
               std::string Options::*, std::optional<bool> Options::*,
               Texts Options::*, TextByArray Options::*>
      member;
  InPlanFile in_plan_file = InPlanFile::kNo;
};

inline constexpr OptionField kOptionFields[] = {
    {"chunks", &Options::chunks},
    {"array_chunks", &Options::array_chunks},
    {"array_chunk_words", &Options::array_chunk_words},
    {"array_codec_words", &Options::array_codec_words},
    {"shards", &Options::shards},
    {"codec", &Options::codec},
    {"array_shards", &Options::array_shards},
    {"array_codecs", &Options::array_codecs},
    {"zarr_format", &Options::zarr_format},
    {"nan_attributes_as_text", &Options::nan_attributes_as_text},
    {"consolidate", &Options::consolidate},
    {"max_memory", &Options::max_memory},
    {"threads", &Options::threads},
    {"temp", &Options::temp},
    {"calibrate", &Options::calibrate},
    {"region", &Options::region, InPlanFile::kWork},
    {"append", &Options::append, InPlanFile::kWork},
    {"write_empty_chunks", &Options::write_empty_chunks, InPlanFile::kWork},
    {"overwrite", &Options::overwrite, InPlanFile::kConduct},
    {"overwrite_in_place", &Options::overwrite_in_place, InPlanFile::kConduct},
    {"verify", &Options::verify, InPlanFile::kWork},
    {"strict", &Options::strict, InPlanFile::kWork},
    {"without_files", &Options::without_files, InPlanFile::kWork},
    {"keep_temp", &Options::keep_temp, InPlanFile::kWork},
    {"durable", &Options::durable, InPlanFile::kConduct},
    {"references_below", &Options::references_below, InPlanFile::kConduct},
    {"token", &Options::token, InPlanFile::kWork},
};

/// The options with all that was left open. Only here are defaults taken that
/// depend on the machine: half of its memory, or of its cgroup's limit if that
/// is less, and one thread per core.
Options with_defaults(Options options);

}  // namespace rechunk
