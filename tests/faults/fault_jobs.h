// Jobs of every kind, in memory, for tests that let their stores fail.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rechunk/rechunk.h"

namespace rechunk::faults {

using Objects = std::map<std::string, std::string>;

/// All objects of a store.
Objects objects_in(const Store& store);
std::shared_ptr<Store> store_of(const Objects& objects);

/// A source, what is to become of it, and how that must be planned.
struct FaultJob {
  std::string name;
  Objects source;
  Options options;  ///< `verify` is set: only then lies can be found.
  Method method = Method::kDirect;  ///< Of its largest array.
  int stages = 1;
  bool checksums = true;  ///< That cover each chunk of the source.
  Objects expected;       ///< The target, as a run without faults makes it.
};

/// Direct, staged, in three stages, passthrough, sharded, a group; v2 and v3;
/// with and without codecs.
const std::vector<FaultJob>& fault_jobs();

/// Stores for one run of the job; nothing but the source is in them.
Stores stores_for(const FaultJob& job);

/// What tells that a process is at work goes, as if this one had ended.
void forget_process(Store& journal);

}  // namespace rechunk::faults
