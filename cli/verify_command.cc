#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/storage.h"
#include "cli/words.h"

namespace rechunk::cli {
namespace {

using Json = nlohmann::ordered_json;

Comparison compare(const Arguments& arguments, const Sample& sample) {
  const Options options = make_options(arguments);
  const Interrupt interrupt;
  const auto progress = make_progress_bar();
  return verify(arguments.source, arguments.target, options, sample,
                progress.get(), interrupt.token(), make_storage(arguments));
}

Json difference_json(const Comparison::Difference& difference) {
  return {{"start", difference.start},       {"stop", difference.stop},
          {"elements", difference.elements}, {"first", difference.first},
          {"value_a", difference.value_a},   {"value_b", difference.value_b}};
}

std::string json_text(const Comparison& comparison, const Sample& sample) {
  Json arrays = Json::array();
  for (const Comparison::Array& array : comparison.arrays) {
    Json differences = Json::array();
    for (const Comparison::Difference& difference : array.differences)
      differences.push_back(difference_json(difference));
    arrays.push_back({{"name", array.name},
                      {"equal", array.equal},
                      {"compared", array.compared},
                      {"digest_a", array.digest_a},
                      {"digest_b", array.digest_b},
                      {"difference", array.difference},
                      {"different_regions", array.different_regions},
                      {"different_elements", array.different_elements},
                      {"differences", differences},
                      {"regions", array.regions},
                      {"compared_regions", array.compared_regions},
                      {"compared_elements", array.compared_elements}});
  }
  Json json = {{"equal", comparison.equal},
               {"digest_version", 1},
               {"sample", nullptr},
               {"arrays", arrays}};
  if (sample.regions > 0)
    json["sample"] = {{"regions", sample.regions}, {"seed", sample.seed}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* verdict(const Comparison::Array& array, bool sampled) {
  if (!array.compared) return "unknown";
  if (!array.equal) return "different";
  return sampled ? "no difference" : "equal";
}

std::string remark(const Comparison::Array& array, bool sampled) {
  if (!array.equal) return array.difference;
  if (!sampled) return array.digest_a;
  return fmt::format("{} elements compared, {} of {} regions",
                     array.compared_elements, array.compared_regions,
                     array.regions);
}

/// "10:20, 0:361".
std::string region_text(const Comparison::Difference& difference) {
  std::string text;
  for (std::size_t axis = 0; axis < difference.start.size(); ++axis)
    text += fmt::format("{}{}:{}", axis ? ", " : "", difference.start[axis],
                        difference.stop[axis]);
  return text;
}

std::string table_text(const Comparison& comparison, bool sampled) {
  std::vector<std::vector<std::string>> rows;
  for (const Comparison::Array& array : comparison.arrays) {
    rows.push_back({verdict(array, sampled),
                    array.name.empty() ? "(root)" : array.name,
                    remark(array, sampled)});
    for (const Comparison::Difference& difference : array.differences)
      rows.push_back(
          {"", region_text(difference),
           fmt::format("{} different, the first {}: {} and {}",
                       difference.elements, to_string(difference.first),
                       difference.value_a, difference.value_b)});
  }
  if (rows.empty())
    rows.push_back({comparison.equal ? "equal" : "different", "no arrays"});
  return format_table(rows);
}

}  // namespace

int run_verify(const Arguments& arguments) {
  const Sample sample = make_sample(arguments);
  const Comparison comparison = compare(arguments, sample);
  const bool sampled = sample.regions > 0;
  write_stdout(arguments.json ? json_text(comparison, sample)
                              : table_text(comparison, sampled));
  if (sampled)
    std::fprintf(stderr, "sampled  with --seed %llu\n",
                 static_cast<unsigned long long>(sample.seed));
  return comparison.equal ? 0 : 1;
}

}  // namespace rechunk::cli
