// The plan file: what other processes must know of a job.
#pragma once

#include <string>

#include "job/planned_job.h"
#include "rechunk/array_source.h"

namespace rechunk {

/// Sets `text` and `hash`: the plan's JSON, and beside it the places, the
/// options that a worker needs and all metadata documents, verbatim.
void write_plan_file(PlannedJob& job);

/// True if a plan file does the same work: from the same source to the same
/// target, with at most the same memory. Its stages may differ.
bool does_the_same(const std::string& plan_file, const PlannedJob& job);

/// The job of a plan file, checked as a new plan is.
/// Throws: corrupt (no plan file, or one that was changed).
PlannedJob read_plan_file(const std::string& text, const Stores& stores);

}  // namespace rechunk
