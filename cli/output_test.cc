#include "cli/output.h"

#include <gtest/gtest.h>

#include <random>

#include "cli/progress.h"

namespace rechunk::cli {
namespace {

StagedCopySpec two_stages() {
  StagedCopySpec array;
  array.shape = {52560, 721, 1440};
  array.dtype = "<f4";
  array.item_bytes = 4;
  array.source_chunks = {24, 721, 1440};
  array.target_chunks = {52560, 10, 10};
  array.method = Method::kStaged;
  const std::int64_t bytes = element_count(array.shape) * 4;
  CopySpec stage;
  stage.source = "source";
  stage.target = "intermediate-1";
  stage.tasks = 244;
  stage.max_task_bytes = std::int64_t{1800} << 20;
  stage.bytes_decoded = stage.bytes_encoded = bytes;
  array.stages.push_back(stage);
  stage.source = "intermediate-1";
  stage.target = "target";
  stage.tasks = 1;
  stage.bytes_decoded = 3 * bytes;
  array.stages.push_back(stage);
  array.reasons = {"the first reason", "the second reason"};
  return array;
}

StagedCopySpec moved(const std::string& name) {
  StagedCopySpec array;
  array.name = name;
  array.shape = array.source_chunks = array.target_chunks = {721};
  array.dtype = ">f8";
  array.item_bytes = 8;
  array.method = Method::kPassthrough;
  array.stages.resize(1);
  return array;
}

Plan some_plan() {
  Plan plan;
  plan.max_memory = std::int64_t{4} << 30;
  plan.peak_memory = std::int64_t{3} << 30;
  plan.threads = 2;
  plan.arrays = {two_stages(), moved("lat"), moved("lon")};
  return plan;
}

TEST(Output, APlanIsAFewAlignedLines) {
  const std::string text = describe_plan(some_plan(), {});
  EXPECT_EQ(text,
            "source   (52560, 721, 1440) float32, chunks (24, 721, 1440): 203 "
            "GiB in 2190 chunks\n"
            "target   chunks (52560, 10, 10): 10512 chunks\n"
            "stage 1  source → intermediate-1   244 tasks   ≤ 1.8 GiB each   "
            "read 203 GiB               write 203 GiB\n"
            "stage 2  intermediate-1 → target   1 task      ≤ 1.8 GiB each   "
            "read 610 GiB (3.0 times)   write 203 GiB\n"
            "why      the first reason\n"
            "lat: (721,) float64 (big-endian), 1 chunk: moved as stored\n"
            "lon: (721,) float64 (big-endian), 1 chunk: moved as stored\n"
            "memory   ≤ 3 GiB of 4 GiB in 2 threads\n");
}

TEST(Output, ExplainingAPlanTellsAllReasons) {
  const std::string text = describe_plan(some_plan(), {.explain = true});
  EXPECT_NE(text.find("why      the second reason\n"), std::string::npos);
}

TEST(Output, WhereNotAllArraysFitTheLargestAreShownAndTheOthersCounted) {
  Plan plan = some_plan();
  std::swap(plan.arrays[0], plan.arrays[1]);
  PlanView view;
  view.max_arrays = 1;
  const std::string text = describe_plan(plan, view);
  EXPECT_NE(text.find("… and 2 smaller arrays\n"), std::string::npos) << text;
  EXPECT_NE(text.find("(52560, 721, 1440) float32"), std::string::npos) << text;
  EXPECT_EQ(text.find("lat:"), std::string::npos) << text;
}

TEST(Output, APlanWithoutColoursHasNoEscapes) {
  EXPECT_EQ(describe_plan(some_plan(), {}).find('\033'), std::string::npos);
  EXPECT_NE(
      describe_plan(some_plan(), {.style = {.colour = true}}).find('\033'),
      std::string::npos);
}

TEST(Output, TablesAlignCharactersNotBytes) {
  EXPECT_EQ(format_table({{"größe", "1"}, {"a", "22", "x"}, {"long one"}}),
            "größe      1\n"
            "a          22   x\n"
            "long one\n");
}

TEST(Output, ControlCharactersAreSpelledOut) {
  EXPECT_EQ(printable("a\x1b[1m\n\x7f\u009b\u00e9\u20ac"),
            "a\\x1b[1m\\x0a\\x7f\\u009b\u00e9\u20ac");
  EXPECT_EQ(format_table({{"a\rb", "c"}}), "a\\x0db   c\n");
}

TEST(Output, TypesHaveTheNamesThatPeopleUse) {
  EXPECT_EQ(describe_dtype("<f4"), "float32");
  EXPECT_EQ(describe_dtype(">i2"), "int16 (big-endian)");
  EXPECT_EQ(describe_dtype("|u1"), "uint8");
  EXPECT_EQ(describe_dtype("|b1"), "bool");
  EXPECT_EQ(describe_dtype("<c16"), "complex128");
  for (const char* other : {"", "f4", "string", "|S5", "<M8[ns]", "<f", "<f4x",
                            "<f-4", "[[\"a\",\"<i4\"]]"})
    EXPECT_EQ(describe_dtype(other), other);
}

TEST(Output, SecondsGrowIntoMinutesAndHours) {
  EXPECT_EQ(format_seconds(0.04), "0.0 s");
  EXPECT_EQ(format_seconds(9.94), "9.9 s");
  EXPECT_EQ(format_seconds(9.96), "10 s");
  EXPECT_EQ(format_seconds(59.7), "1 min 0 s");
  EXPECT_EQ(format_seconds(3725), "1 h 2 min");
  EXPECT_EQ(format_seconds(1.0 / 0.0), "very long");
}

TEST(Progress, ALineNeverExceedsItsColumns) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 5'000; ++i) {
    Progress progress;
    progress.bytes_total = static_cast<std::int64_t>(random() >> (2 + i % 62));
    progress.bytes_done = static_cast<std::int64_t>(random() >> (1 + i % 63));
    progress.tasks_total = static_cast<std::int64_t>(random() % 3);
    progress.seconds = static_cast<double>(random() % 100'000) / 7;
    const int columns = static_cast<int>(random() % 120);
    const std::string line = progress_line(progress, columns);
    EXPECT_LE(line.size(), static_cast<std::size_t>(columns)) << line;
  }
}

TEST(Progress, ALineShowsShareRateAndRemainingTime) {
  EXPECT_EQ(progress_line({.bytes_done = std::int64_t{1} << 30,
                           .bytes_total = std::int64_t{4} << 30,
                           .seconds = 2},
                          60),
            "[=======>                     ]   25%  512 MiB/s  6.0 s left");
  EXPECT_EQ(progress_line({}, 20), "[>           ]    0%");
  EXPECT_EQ(progress_line({.tasks_done = 1, .tasks_total = 2}, 4), " 50%");
}

}  // namespace
}  // namespace rechunk::cli
