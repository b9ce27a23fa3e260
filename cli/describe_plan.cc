// Plans for people: the half of output.h that knows what a plan is.
#include <fmt/format.h>

#include <algorithm>

#include "base/byte_size.h"
#include "cli/output.h"

namespace rechunk::cli {
namespace {

std::string count(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::int64_t array_bytes(const StagedCopySpec& array) {
  return checked_multiply(element_count(array.shape), array.item_bytes);
}

/// "chunks (24, 721, 1440)", with the shards, if there are any.
std::string describe_layout(const Shape& chunks, const Shape& shards) {
  std::string text = fmt::format("chunks {}", to_string(chunks));
  if (!shards.empty()) text += fmt::format(" in shards {}", to_string(shards));
  return text;
}

std::string count_objects(const Shape& shape, const Shape& chunks,
                          const Shape& shards) {
  const Shape& object = shards.empty() ? chunks : shards;
  return count(Grid(shape, object).cell_count(),
               shards.empty() ? "chunk" : "shard");
}

std::string describe_ends(const StagedCopySpec& array) {
  // A type without a fixed size, such as strings, has no bytes to tell.
  const std::string size =
      array.item_bytes > 0
          ? fmt::format("{} in ", format_byte_size(array_bytes(array)))
          : "";
  return fmt::format(
      "source   {} {}, {}: {}{}\ntarget   {}: {}\n", to_string(array.shape),
      printable(describe_dtype(array.dtype)),
      describe_layout(array.source_chunks, array.source_shards), size,
      count_objects(array.shape, array.source_chunks, array.source_shards),
      describe_layout(array.target_chunks, array.target_shards),
      count_objects(array.shape, array.target_chunks, array.target_shards));
}

/// "read 203 GiB", and how many times over if it is more than once.
std::string describe_traffic(std::string_view verb, std::int64_t bytes,
                             std::int64_t size) {
  std::string text = fmt::format("{} {}", verb, format_byte_size(bytes));
  const double times =
      size > 0 ? static_cast<double>(bytes) / static_cast<double>(size) : 1;
  if (times >= 1.05) text += fmt::format(" ({:.1f} times)", times);
  return text;
}

std::vector<std::vector<std::string>> stage_rows(const StagedCopySpec& array) {
  std::vector<std::vector<std::string>> rows;
  for (const CopySpec& stage : array.stages) {
    std::vector<std::string> row = {
        fmt::format("stage {}  {} → {}", rows.size() + 1, stage.source,
                    stage.target),
        count(stage.tasks, "task"),
        fmt::format("≤ {} each", format_byte_size(stage.max_task_bytes))};
    if (array.method == Method::kPassthrough) {
      row.push_back("moved as stored, nothing decoded");
    } else {
      const std::int64_t size = array_bytes(array);
      row.push_back(describe_traffic("read", stage.bytes_decoded, size));
      row.push_back(describe_traffic("write", stage.bytes_encoded, size));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// An array that is moved as it is gets only one line.
std::string describe_array(const StagedCopySpec& array, const PlanView& view) {
  const std::string name = view.style.bold(printable(array.name));
  if (array.method == Method::kPassthrough && !array.name.empty() &&
      array.source_shards == array.target_shards && !view.explain)
    return fmt::format(
        "{}: {} {}, {}: moved as stored\n", name, to_string(array.shape),
        printable(describe_dtype(array.dtype)),
        count_objects(array.shape, array.source_chunks, array.source_shards));
  std::string text = array.name.empty() ? "" : name + "\n";
  text += describe_ends(array) + format_table(stage_rows(array));
  // Only a plan with an intermediate costs so much that people ask why.
  const std::size_t reasons = view.explain              ? array.reasons.size()
                              : array.stages.size() > 1 ? 1
                                                        : 0;
  for (std::size_t i = 0; i < std::min(reasons, array.reasons.size()); ++i)
    text += fmt::format("why      {}\n", array.reasons[i]);
  return text;
}

/// The largest arrays, in the plan's order: they are what a run is about.
std::vector<const StagedCopySpec*> choose_arrays(const Plan& plan,
                                                 std::size_t max_arrays) {
  std::vector<const StagedCopySpec*> arrays;
  for (const StagedCopySpec& array : plan.arrays) arrays.push_back(&array);
  if (arrays.size() <= max_arrays) return arrays;
  std::stable_sort(arrays.begin(), arrays.end(), [](auto* a, auto* b) {
    return array_bytes(*a) > array_bytes(*b);
  });
  arrays.resize(max_arrays);
  // These point into one vector, so their order is the plan's.
  std::sort(arrays.begin(), arrays.end());
  return arrays;
}

}  // namespace

std::string describe_parts(const Job& job) {
  std::string text;
  for (const std::string& part : job.parts())
    text += fmt::format("into     {}\n", printable(part));
  return text;
}

std::string describe_plan(const Plan& plan, const PlanView& view) {
  std::string text;
  const auto shown = choose_arrays(plan, view.max_arrays);
  for (const StagedCopySpec* array : shown)
    text += describe_array(*array, view);
  if (shown.size() < plan.arrays.size())
    text += fmt::format(
        "… and {}\n",
        count(static_cast<std::int64_t>(plan.arrays.size() - shown.size()),
              "smaller array"));
  if (plan.arrays.empty()) text += "no arrays\n";
  text += fmt::format(
      "memory   ≤ {} of {} in {}\n", format_byte_size(plan.peak_memory),
      format_byte_size(plan.max_memory), count(plan.threads, "thread"));
  if (plan.temp_objects > 0 || plan.temp_bytes > 0)
    text +=
        fmt::format("temp     ≤ {} in {}\n", format_byte_size(plan.temp_bytes),
                    count(plan.temp_objects, "object"));
  return text;
}

}  // namespace rechunk::cli
