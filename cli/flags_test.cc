#include "cli/flags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/parse.h"
#include "cli/words.h"

namespace rechunk::cli {
namespace {

Call parse(std::vector<const char*> words) {
  words.insert(words.begin(), "rechunk");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

Options options_of(const std::vector<const char*>& flags) {
  std::vector<const char*> words = {"run", "a.zarr/", "b.zarr"};
  words.insert(words.end(), flags.begin(), flags.end());
  return make_options(parse(words).arguments);
}

/// Message and hint of the UsageError that these words lead to.
std::string refusal(const std::vector<const char*>& words) {
  try {
    const Call call = parse(words);
    make_options(call.arguments);
    if (!call.arguments.shape.empty()) make_paper_array(call.arguments);
  } catch (const UsageError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos)
      << "\"" << part << "\" is not in: " << text;
}

TEST(Flags, EveryFlagOfARunReachesTheOptions) {
  const Options options = options_of({"--chunks",
                                      "time=all,lat=10",
                                      "--array",
                                      "/ocean/t:5,auto:1MB",
                                      "--array",
                                      "lat:all",
                                      "--shards",
                                      "none",
                                      "--codec",
                                      "zstd:3",
                                      "--zarr-format",
                                      "2",
                                      "--no-consolidate",
                                      "--write-empty-chunks",
                                      "--max-memory",
                                      "2GiB",
                                      "--threads",
                                      "3",
                                      "--temp",
                                      "/scratch/t",
                                      "--overwrite",
                                      "--verify",
                                      "--keep-temp",
                                      "--executor",
                                      "serial"});
  EXPECT_EQ(options.chunks, "time=all,lat=10");
  ASSERT_EQ(options.array_chunk_words.size(), 2u);
  EXPECT_EQ(options.array_chunk_words[0], "/ocean/t:5,auto:1MB");
  EXPECT_EQ(options.shards, "none");
  EXPECT_EQ(options.codec, "zstd:3");
  EXPECT_EQ(options.zarr_format, 2);
  EXPECT_EQ(options.consolidate, false);
  EXPECT_TRUE(options.write_empty_chunks);
  EXPECT_EQ(options.max_memory, std::int64_t{2} << 30);
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.temp, "/scratch/t");
  EXPECT_TRUE(options.overwrite && options.verify && options.keep_temp);
}

TEST(Flags, NothingGivenLeavesLayoutMemoryAndThreadsOpen) {
  const Options options = options_of({});
  EXPECT_EQ(options.chunks + options.shards + options.codec + options.temp, "");
  EXPECT_EQ(options.zarr_format, 0);
  EXPECT_EQ(options.consolidate, std::nullopt);
  EXPECT_EQ(options.max_memory, 0);
  EXPECT_EQ(options.threads, 0);
  EXPECT_FALSE(options.overwrite || options.verify || options.keep_temp);
}

TEST(Flags, ChunksMayStartWithAMinus) {
  EXPECT_EQ(options_of({"--chunks", "-1,10"}).chunks, "-1,10");
  EXPECT_EQ(options_of({"--chunks=-1"}).chunks, "-1");
  EXPECT_EQ(options_of({"-c", "-1"}).chunks, "-1");
}

TEST(Flags, FlagsMayStandBeforeAndBetweenOperands) {
  const Call call = parse({"run", "--array", "x:1", "a", "-m", "1MB", "b"});
  EXPECT_EQ(call.arguments.source, "a");
  EXPECT_EQ(call.arguments.target, "b");
  EXPECT_EQ(call.arguments.options.array_chunk_words,
            std::vector<std::string>{"x:1"});
}

TEST(Flags, AnArrayOnPaperNeedsNoSource) {
  const Call call =
      parse({"plan", "--shape", "100, 20,0", "--dtype", "f4", "--source-chunks",
             "7,all,3", "--source-shards", "14,20,3", "--chunks", "auto"});
  const PaperArray array = make_paper_array(call.arguments);
  EXPECT_EQ(array.shape, (Shape{100, 20, 0}));
  EXPECT_EQ(array.dtype, "f4");
  EXPECT_EQ(array.source_chunks, (Shape{7, 20, 3}));
  EXPECT_EQ(array.source_shards, (Shape{14, 20, 3}));
}

TaskWords tasks_of(const char* array, const char* stage, const char* tasks) {
  return parse_tasks(parse({"task", "p.json", array, stage, tasks}).arguments);
}

TEST(Flags, TasksAreHalfOpenRangesOrAll) {
  const TaskWords some = tasks_of("3", "1", "20..4000000000");
  EXPECT_EQ(some.tasks.array, 3);
  EXPECT_EQ(some.tasks.stage, 1);
  EXPECT_FALSE(some.all);
  EXPECT_EQ(some.tasks.first, 20);
  EXPECT_EQ(some.tasks.stop, 4000000000);
  EXPECT_TRUE(tasks_of("0", "0", "all").all);
  EXPECT_EQ(tasks_of("0", "0", "7..7").tasks.stop, 7);
}

TEST(Flags, TasksThatAreNoneAreUsageErrors) {
  for (const char* range :
       {"", "..", "1", "1..", "..2", "2..1", "0...3", "0..3x", "-1..3", "0-3"})
    EXPECT_THROW(tasks_of("0", "0", range), UsageError) << range;
  EXPECT_THROW(tasks_of("x", "0", "all"), UsageError);
  EXPECT_THROW(tasks_of("0", "-1", "all"), UsageError);
}

TEST(Flags, WrongValuesAreUsageErrorsThatNameTheFlag) {
  const auto run_with = [](const char* flag, const char* value) {
    return refusal({"run", "a", "b", flag, value});
  };
  expect_contains(run_with("--chunks", "1,x"), "--chunks: ");
  expect_contains(run_with("--shards", "0"), "--shards: ");
  expect_contains(run_with("--array", "temp"), "no colon");
  expect_contains(run_with("--array", "temp:1,,2"), "--array: ");
  expect_contains(run_with("--codec", "zst"), "--codec: ");
  expect_contains(run_with("--max-memory", "2XB"), "--max-memory: ");
  expect_contains(run_with("--max-memory", "0"), "--max-memory: ");
  for (const char* threads : {"0", "-1", "many", "1.5", "99999999999"})
    expect_contains(run_with("--threads", threads), "--threads: ");
  for (const char* format : {"1", "4", "v2"})
    expect_contains(run_with("--zarr-format", format), "--zarr-format: ");
  expect_contains(
      refusal({"run", "a", "b", "--consolidate", "--no-consolidate"}),
      "contradict");
}

TEST(Flags, WrongPaperArraysAreUsageErrors) {
  const auto plan_of = [](const char* shape, const char* chunks) {
    return refusal(
        {"plan", "--shape", shape, "--dtype", "f4", "--source-chunks", chunks});
  };
  expect_contains(plan_of("10,-1", "1,1"), "--shape 10,-1");
  expect_contains(plan_of("10,", "1"), "--shape 10,");
  expect_contains(plan_of("10", "1,1"), "--source-chunks: ");
  expect_contains(plan_of("10", "auto"), "auto");
  expect_contains(refusal({"plan", "--shape", "10"}), "--dtype");
}

TEST(Flags, MisspeltWordsGetASuggestion) {
  expect_contains(refusal({"run", "a", "b", "--chunk", "1"}),
                  "did you mean --chunks?");
  expect_contains(refusal({"run", "a", "b", "--overwrit"}),
                  "did you mean --overwrite?");
  expect_contains(refusal({"run", "a", "b", "--mem=1GB"}),
                  "did you mean --max-memory?");
  expect_contains(refusal({"plna", "a", "b"}), "did you mean plan?");
  const std::string far = refusal({"run", "a", "b", "--xyzzyplugh"});
  EXPECT_EQ(far.find("did you mean"), std::string::npos) << far;
  expect_contains(far, "--help");
}

TEST(Flags, FlagsOfOtherToolsAreTranslated) {
  const std::pair<const char*, const char*> kExpected[] = {
      {"--force", "did you mean --overwrite?"},
      {"--compressor=zstd", "did you mean --codec?"},
      {"--workers", "did you mean --threads?"},
      {"--memory", "did you mean --max-memory?"},
      {"--variable", "did you mean --array?"},
      {"--quiet", "shown on terminals"},
      {"--output", "second operand"},
      {"-o", "second operand"},
      {"--dry-run", "rechunk plan"},
      {"--sample", "--sample belongs to rechunk verify"}};
  for (const auto& [word, hint] : kExpected)
    expect_contains(refusal({"run", "a", "b", word}), hint);
  expect_contains(refusal({"verify", "a", "b", "--force"}),
                  "--overwrite belongs to rechunk");
}

TEST(Flags, WhatTheParserSaysIsEnglish) {
  expect_contains(refusal({"run", "a", "b", "--chunks", "1", "--chunks", "2"}),
                  "--chunks is given more than once");
  expect_contains(refusal({"run", "a", "b", "--threads"}),
                  "--threads needs a value");
  expect_contains(refusal({"info"}), "URL is missing");
  expect_contains(refusal({}), "no command");
}

TEST(Flags, IncompleteCommandLinesAreUsageErrors) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{
           {},
           {"run"},
           {"run", "a"},
           {"run", "a", "b", "c"},
           {"run", "a", "b", "--chunks"},
           {"verify", "a"},
           {"verify", "a", "b", "--temp", "c"},
           {"run", "a", "b", "--sample", "3"},
           {"info"},
           {"info", "a", "b"},
           {"task", "p.json", "0", "0"},
           {"commit"},
           {"plan", "a", "b", "--executor", "serial"},
           {"run", "a", "b", "--save", "p.json"},
           {"run", "plan"}})
    EXPECT_NE(refusal(words), "");
}

}  // namespace
}  // namespace rechunk::cli
