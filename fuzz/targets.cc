#include "targets.h"

#include <algorithm>
#include <array>

namespace rechunk::fuzz {
namespace {

constexpr std::array kTargets = {
    Target{"json", fuzz_json},
    Target{"metadata", fuzz_metadata},
    Target{"hierarchy", fuzz_hierarchy},
    Target{"shard_index", fuzz_shard_index},
    Target{"codecs", fuzz_codecs},
    Target{"specs", fuzz_specs},
    Target{"array", fuzz_array},
    Target{"job", fuzz_job},
    Target{"plan", fuzz_plan},
    Target{"journal", fuzz_journal},
    Target{"zip", fuzz_zip},
    Target{"references", fuzz_references},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target* find_target(std::string_view name) {
  const auto found =
      std::find_if(kTargets.begin(), kTargets.end(),
                   [&](const Target& target) { return target.name == name; });
  return found == kTargets.end() ? nullptr : &*found;
}

}  // namespace rechunk::fuzz
