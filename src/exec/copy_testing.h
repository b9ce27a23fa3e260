// Whole copies of random arrays over memory stores, and what is promised of
// them. Only tests include this.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "exec/array_copy.h"
#include "exec/digest_sink.h"
#include "exec/run_plan.h"
#include "exec/testing.h"
#include "plan/planner.h"

namespace rechunk {

// A random array of random elements that is to be copied.
struct Problem {
  std::shared_ptr<const ArrayLayout> source, target;
  Elements elements;
  ArrayProblem planned;

  Problem(Random& random, const ArrayMetadata& from, const ArrayMetadata& to)
      : source(share_layout(from)),
        target(share_layout(to)),
        elements(random_elements(random, *source)),
        planned(read_once(problem_of(*source, *target))) {}

  Elements wanted() const {
    return converted(elements, elements.region, source->scalars,
                     target->scalars);
  }
};

inline Problem random_problem(Random& random) {
  const Shape shape = random_shape(random);
  const SampleType& type = random_type(random);
  const ArrayMetadata from = random_metadata(random, shape, type);
  return Problem(random, from, random_metadata(random, shape, type));
}

struct Outcome {
  Plan plan;
  std::vector<StageReport> reports;
  Digest digest;
  std::shared_ptr<Store> target = make_memory_store();
  std::shared_ptr<PeakStore> temp = std::make_shared<PeakStore>();
  std::int64_t peak_memory = 0;
};

struct Stores {
  std::shared_ptr<Store> source, target, temp;
  IdleThreads* idle = nullptr;
};

inline ArrayCopy make_copy(const Problem& problem, const Plan& plan,
                           const Stores& stores,
                           bool write_empty_chunks = false) {
  return ArrayCopy(
      plan.arrays[0],
      std::make_shared<const ArrayReader>(
          stores.source, "in", problem.source, problem.target->scalars,
          std::min(plan.arrays[0].window, stores.source->medium().requests)),
      std::make_shared<const ArrayWriter>(
          stores.target, "out", problem.target,
          write_empty_chunks ? EmptyChunks::kWrite : EmptyChunks::kLeaveOut),
      stores.temp, {.temp_prefix = "pre", .digest = true, .idle = stores.idle});
}

inline Outcome copy(const Problem& problem, const Plan& plan,
                    bool keep_temp = false, bool write_empty_chunks = false) {
  Outcome outcome{.plan = plan};
  const auto source = make_memory_store();
  store_elements(source, "in", problem.source, problem.elements);
  // One stage needs no place for intermediates.
  const bool staged = plan.arrays[0].stages.size() > 1;
  IdleThreads idle;
  CopyRunner runner(make_copy(
      problem, plan,
      {source, outcome.target, staged ? outcome.temp : nullptr, &idle},
      write_empty_chunks));
  MemoryBudget budget(plan.max_memory);
  auto results =
      run_plan(plan, runner, budget, {.keep_temp = keep_temp, .idle = &idle});
  outcome.reports = results.at(0).stages;
  outcome.digest = results.at(0).digest;
  outcome.peak_memory = budget.peak();
  return outcome;
}

// What is promised of every copy.
inline void check(const Problem& problem, const Outcome& outcome) {
  const Elements wanted = problem.wanted();
  ASSERT_EQ(stored_elements(*outcome.target, "out", *problem.target), wanted);
  const auto& stages = outcome.plan.arrays[0].stages;
  ASSERT_EQ(outcome.reports.size(), stages.size());
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    SCOPED_TRACE("stage " + std::to_string(stage + 1));
    expect_as_planned(outcome.reports[stage], stages[stage]);
  }
  EXPECT_EQ(listed_bytes(*outcome.target),
            outcome.reports.back().counted.stored_bytes_written);
  EXPECT_LE(outcome.peak_memory, outcome.plan.peak_memory);
  EXPECT_LE(outcome.temp->peak_bytes(), outcome.plan.temp_bytes);
  EXPECT_LE(outcome.temp->peak_objects(), outcome.plan.temp_objects);
  const Shape& shape = problem.target->shape;
  Shape strides(shape.size());
  std::int64_t bytes = wanted.item_bytes;
  for (std::size_t axis = shape.size(); axis-- > 0; bytes *= shape[axis])
    strides[axis] = bytes;
  EXPECT_EQ(outcome.digest, digest_box(digest_scalars(problem.target->scalars),
                                       shape, Shape(shape.size(), 0), shape,
                                       wanted.bytes.data(), strides));
}

}  // namespace rechunk
