#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace rechunk::cli {
namespace {

using Json = nlohmann::ordered_json;

Comparison compare(const Arguments& arguments) {
  const Options options = make_options(arguments);
  const Interrupt interrupt;
  const auto progress = make_progress_bar();
  return verify(arguments.source, arguments.target, options, progress.get(),
                interrupt.token());
}

std::string json_text(const Comparison& comparison) {
  Json arrays = Json::array();
  for (const Comparison::Array& array : comparison.arrays)
    arrays.push_back({{"name", array.name},
                      {"equal", array.equal},
                      {"compared", array.compared},
                      {"digest_a", array.digest_a},
                      {"digest_b", array.digest_b},
                      {"difference", array.difference}});
  const Json json = {{"equal", comparison.equal}, {"arrays", arrays}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* verdict(const Comparison::Array& array) {
  if (!array.compared) return "unknown";
  return array.equal ? "equal" : "different";
}

std::string table_text(const Comparison& comparison) {
  std::vector<std::vector<std::string>> rows;
  for (const Comparison::Array& array : comparison.arrays)
    rows.push_back({verdict(array), array.name.empty() ? "(root)" : array.name,
                    array.equal ? array.digest_a : array.difference});
  if (rows.empty())
    rows.push_back({comparison.equal ? "equal" : "different", "no arrays"});
  return format_table(rows);
}

}  // namespace

int run_verify(const Arguments& arguments) {
  const Comparison comparison = compare(arguments);
  write_stdout(arguments.json ? json_text(comparison) : table_text(comparison));
  return comparison.equal ? 0 : 1;
}

}  // namespace rechunk::cli
