// Plans for arrays that need not exist. Part: src/job/paper.cc.
#pragma once

#include <string>

#include "rechunk/options.h"
#include "rechunk/plan.h"
#include "rechunk/shape.h"

namespace rechunk {

/// An array that does not have to exist, for planning only.
struct PaperArray {
  Shape shape;
  std::string dtype;                   ///< numpy typestr, "f4" or "<f4".
  Shape source_chunks, source_shards;  ///< Shards may be empty.
};
Plan plan_on_paper(const PaperArray& array, const Options& options);

}  // namespace rechunk
