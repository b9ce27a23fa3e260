#include "cli/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <random>

#include "plan/chunk_spec.h"

namespace rechunk::cli {
namespace {

Shape parse_shape(const std::string& text) {
  Shape shape;
  std::string_view rest = text;
  for (;;) {
    const auto comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    std::int64_t length = -1;
    while (word.starts_with(' ')) word.remove_prefix(1);
    const auto end = word.data() + word.size();
    const auto parsed = std::from_chars(word.data(), end, length);
    if (parsed.ec != std::errc() || parsed.ptr != end || length < 0)
      throw UsageError(
          fmt::format("--shape {}: \"{}\" is not a length", text, word),
          "write a length per dimension: 350640,721,1440");
    shape.push_back(length);
    if (comma == std::string_view::npos) return shape;
    rest = rest.substr(comma + 1);
  }
}

bool is_auto(const ChunkLength& length) {
  return length.kind == ChunkLength::Kind::kAuto;
}

/// Chunks of an array on paper; "all" means what it always means.
Shape parse_paper_chunks(const char* flag, const std::string& word,
                         const Shape& shape) {
  return interpret(flag, [&] {
    const ChunkSpec spec = parse_chunk_spec(word);
    if ((spec.everywhere && is_auto(*spec.everywhere)) ||
        std::any_of(spec.by_position.begin(), spec.by_position.end(), is_auto))
      throw UsageError("a layout that exists cannot be \"auto\"");
    return resolve_chunks(spec, {.shape = shape,
                                 .current_chunks = shape,
                                 .dimension_names = {},
                                 .item_bytes = 1});
  });
}

}  // namespace

Sample make_sample(const Arguments& arguments) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  if (arguments.sample.empty()) {
    if (!arguments.seed.empty())
      throw UsageError("--seed: there is nothing to draw without --sample");
    return {};
  }
  Sample sample;
  sample.regions =
      parse_number<std::int64_t>("--sample", arguments.sample, 1, 1000000);
  sample.seed = arguments.seed.empty()
                    ? std::random_device()()
                    : static_cast<std::uint64_t>(parse_number<std::int64_t>(
                          "--seed", arguments.seed, 0, kMost));
  return sample;
}

PaperArray make_paper_array(const Arguments& arguments) {
  if (arguments.dtype.empty() || arguments.source_chunks.empty())
    throw UsageError(
        "planning on paper: --shape needs --dtype and "
        "--source-chunks",
        "for example --dtype f4 --source-chunks 31,721,1440");
  PaperArray array;
  array.shape = parse_shape(arguments.shape);
  array.dtype = arguments.dtype;
  array.source_chunks = parse_paper_chunks(
      "--source-chunks", arguments.source_chunks, array.shape);
  if (!arguments.source_shards.empty())
    array.source_shards = parse_paper_chunks(
        "--source-shards", arguments.source_shards, array.shape);
  return array;
}

TaskWords parse_tasks(const Arguments& arguments) {
  constexpr int kMost = std::numeric_limits<int>::max();
  TaskWords words;
  words.tasks.array = parse_number("ARRAY", arguments.array, 0, kMost);
  words.tasks.stage = parse_number("STAGE", arguments.stage, 0, kMost);
  const std::string_view range = arguments.tasks;
  words.all = range == "all";
  if (words.all) return words;
  const auto dots = range.find("..");
  if (dots == std::string_view::npos)
    throw UsageError(fmt::format("TASKS: \"{}\" is no range", range),
                     "write FIRST..STOP, without STOP itself: 0..8, or all");
  constexpr auto kMostTasks = std::numeric_limits<std::int64_t>::max();
  words.tasks.first =
      parse_number<std::int64_t>("TASKS", range.substr(0, dots), 0, kMostTasks);
  words.tasks.stop = parse_number<std::int64_t>("TASKS", range.substr(dots + 2),
                                                words.tasks.first, kMostTasks);
  return words;
}

}  // namespace rechunk::cli
