// Plan files, which pass from process to process. An input is the file without
// its hash, or with a wrong one: the right one is put in, so that everything
// behind that check is reached.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text_hash.h"
#include "input.h"
#include "rechunk/run.h"
#include "targets.h"

namespace rechunk::fuzz {
namespace {

constexpr std::int64_t kMaxTasks = 64;
constexpr std::int64_t kMaxBytes = 4 << 20;

void use_plan(std::string_view text) {
  std::optional<Plan> plan;
  succeeds([&] { plan = plan_from_json(text); });
  if (!plan) return;
  const std::string again = to_json(*plan);
  require(to_json(plan_from_json(again)) == again,
          "a plan changes when it is written");
}

bool is_small(const Plan& plan) {
  if (plan.max_memory > 8 * kMaxBytes || plan.arrays.size() > 8) return false;
  for (const StagedCopySpec& array : plan.arrays)
    for (const CopySpec& stage : array.stages)
      if (stage.tasks > kMaxTasks || stage.objects_read > 4 * kMaxTasks ||
          stage.bytes_decoded > kMaxBytes)
        return false;
  return true;
}

void run_all(Job& job) {
  rechunk::Run run(job);
  run.prepare();
  for (const Step& step : steps_of(job.plan())) run.run_step(step);
}

void use_file(const std::string& text) {
  Stores stores;
  stores.source = make_memory_store();
  stores.target = make_memory_store();
  stores.temp = make_memory_store();
  stores.journal = make_memory_store();
  succeeds([&] {
    Job job = Job::load(text, stores);
    if (is_small(job.plan())) run_all(job);
  });
}

/// The same file with its right hash; nothing if it is no such JSON.
std::optional<std::string> with_hash(std::string_view text) {
  using Json = nlohmann::ordered_json;
  constexpr std::ptrdiff_t kMaxDepth = 1000;  // Writing recurses.
  if (std::count_if(text.begin(), text.end(),
                    [](char c) { return c == '[' || c == '{'; }) > kMaxDepth)
    return {};
  try {
    Json json = Json::parse(text);
    if (!json.is_object()) return {};
    json.erase("plan_hash");
    const std::string rest = json.dump();
    json["plan_hash"] = text_hash(rest);
    return json.dump();
  } catch (const Json::exception&) {
    return {};
  }
}

}  // namespace

void fuzz_plan(std::string_view input) {
  use_plan(input);
  use_file(std::string(input));
  if (const auto text = with_hash(input)) use_file(*text);
}

}  // namespace rechunk::fuzz
