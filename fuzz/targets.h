// Fuzz targets: each takes bytes from anywhere and must end in a regular way.
// An `Error` is one, except for those that say that rechunk itself is wrong;
// anything else that leaves a target (other exceptions, signals, what
// sanitizers find, hangs, memory) is a finding.
#pragma once

#include <span>
#include <string_view>

namespace rechunk::fuzz {

/// Throws only where there is a finding.
using Run = void (*)(std::string_view input);

struct Target {
  std::string_view name;  ///< Also that of its folders of inputs.
  Run run;
};

/// The one table of targets.
std::span<const Target> targets();
/// Nullptr if there is none of that name.
const Target* find_target(std::string_view name);

// One file each, NAME_fuzz.cc.
void fuzz_json(std::string_view input);
void fuzz_metadata(std::string_view input);
void fuzz_hierarchy(std::string_view input);
void fuzz_shard_index(std::string_view input);
void fuzz_codecs(std::string_view input);
void fuzz_specs(std::string_view input);
void fuzz_array(std::string_view input);
void fuzz_job(std::string_view input);
void fuzz_plan(std::string_view input);
void fuzz_journal(std::string_view input);
void fuzz_zip(std::string_view input);
void fuzz_references(std::string_view input);

}  // namespace rechunk::fuzz
