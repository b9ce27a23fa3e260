#include "journal/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/random_number.h"
#include "base/text_hash.h"
#include "json/raw_json.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

constexpr const char* kPlan = "plan.json";
constexpr const char* kReady = "ready";
constexpr const char* kDone = "done";
constexpr const char* kPartial = "partial";
constexpr const char* kExchanging = "exchanging";
constexpr const char* kCommitted = "committed";
constexpr const char* kReport = "report";

constexpr std::int64_t kMaxIndex = std::numeric_limits<int>::max();

// An older version named records after their first batch alone.
bool is_key_of(const std::string& key,
               const std::vector<BatchRecord>& batches) {
  return key == Journal::key_of(batches) ||
         key == Journal::key_of({batches.front()});
}

// Adds what a record has beyond what is done. Counts of records that overlap
// count twice, as the work was done twice.
void add(const BatchRecord& record, Tally& tally) {
  const TaskRange& tasks = record.tasks;
  const auto gaps = tally.done.undone(tasks);
  if (gaps.empty()) return;
  const bool all_new = gaps == std::vector{tasks};
  tally.done.add(tasks);
  tally.stages[tasks.array][tasks.stage] += record.result.report;
  if (tasks.stage > 0) return;
  auto& digest = tally.digests[tasks.array];
  if (!all_new || !record.known) digest.reset();
  if (digest) *digest += record.result.digest;
}

}  // namespace

bool is_begun(const Store& journal) { return has_object(journal, kPlan); }

std::optional<std::string> running_plan(const Store& journal) {
  return read_text(journal, kPlan);
}

std::optional<std::string> running_plan_hash(const Store& journal) {
  const auto text = running_plan(journal);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return "";
  const auto hash = json.find("plan_hash");
  return hash != json.end() && hash->is_string() ? hash->get<std::string>()
                                                 : "";
}

bool room_was_made(const Store& journal) { return has_object(journal, kReady); }

std::optional<std::string> exchange_record(const Store& journal) {
  return read_text(journal, kExchanging, 1 << 10);
}

std::optional<std::string> committed_plan_hash(const Store& journal) {
  return read_text(journal, kCommitted, 1 << 10);
}

std::string Journal::key_of(const std::vector<BatchRecord>& batches) {
  const auto& [array, stage, first, stop] = batches.front().tasks;
  const std::string key =
      fmt::format("{}/{}/{}/{}-{}", kDone, array, stage, first, stop);
  return batches.size() == 1 ? key
                             : fmt::format("{}+{}", key, batches.size() - 1);
}

std::optional<Journal::Key> Journal::parse_key(std::string_view key) {
  std::array<std::int64_t, 5> numbers{};
  key.remove_prefix(std::min(key.size(), std::string_view(kDone).size() + 1));
  std::size_t count = 0;
  for (; count < numbers.size() && !key.empty(); ++count) {
    const auto [end, error] =
        std::from_chars(key.data(), key.data() + key.size(), numbers[count]);
    if (error != std::errc()) return std::nullopt;
    key.remove_prefix(static_cast<std::size_t>(end - key.data()));
    if (!key.empty()) key.remove_prefix(1);  // One of "/-+".
  }
  if (count < 4 || numbers[0] > kMaxIndex || numbers[1] > kMaxIndex)
    return std::nullopt;
  return Key{{static_cast<int>(numbers[0]), static_cast<int>(numbers[1]),
              numbers[2], numbers[3]},
             count == numbers.size()};
}

std::optional<Journal::RunName> Journal::run() const {
  const auto text = read_text(*store_, kReady, 1 << 10);
  if (!text || text->substr(0, text->find(' ')) != plan_hash_ ||
      !raw_json::is_utf8(*text))  // Damaged: records could not name it.
    return std::nullopt;
  const auto last = text->rfind(' ');
  if (last == std::string::npos)
    return RunName{*text, ""};  // An old version's.
  return RunName{text->substr(0, last), text->substr(last + 1)};
}

bool Journal::is_running() const { return run() && is_begun(*store_); }

void Journal::begin(const std::string& plan_file) {
  write_text(*store_, kPlan, plan_file);
}

Journal::RunName Journal::write_ready(RunName name) {
  name.since = random_number();
  write_text(*store_, kReady, name.run + " " + name.since);
  return name;
}

Journal::RunName Journal::set_ready() {
  return write_ready({plan_hash_ + " " + random_number(), ""});
}

Journal::RunName Journal::set_resumed() {
  const auto name = run();
  return name ? write_ready(*name) : set_ready();
}

void Journal::record(const std::string& run,
                     const std::vector<BatchRecord>& batches) {
  if (batches.empty()) return;
  write_text(*store_, key_of(batches), format_record(run, batches));
}

std::vector<std::string> Journal::record_keys() const {
  return keys_below(*store_, kDone);
}

std::optional<Journal::Record> Journal::read(const Plan& plan,
                                             const std::string& run,
                                             const std::string& key) const {
  const auto text = read_text(*store_, key);
  return text ? parse(plan, run, key, *text) : std::nullopt;
}

std::optional<Journal::Record> Journal::parse(const Plan& plan,
                                              const std::string& run,
                                              const std::string& key,
                                              const std::string& text) const {
  auto batches = parse_record(text, run);
  if (!batches || batches->empty() || !is_key_of(key, *batches) ||
      !std::all_of(batches->begin(), batches->end(), [&](const auto& record) {
        return is_within(record.tasks, plan);
      }))
    return std::nullopt;
  return Record{key, *std::move(batches)};
}

std::vector<Journal::Record> Journal::records(const Plan& plan) const {
  std::vector<Record> records;
  const std::string name = run().value_or(RunName{plan_hash_, ""}).run;
  const auto keys = record_keys();
  const auto texts = read_texts(*store_, keys);
  for (std::size_t at = 0; at < keys.size(); ++at) {
    auto record =
        texts[at] ? parse(plan, name, keys[at], *texts[at]) : std::nullopt;
    if (record) records.push_back(*std::move(record));
  }
  return records;
}

void Journal::replace(const std::string& run, const Record& record,
                      const std::vector<BatchRecord>& batches) {
  this->record(run, batches);
  if (batches.empty() || key_of(batches) != record.key)
    store_->erase(record.key);
}

void Journal::record_partial(const std::string& key,
                             const std::vector<ObjectSums>& states) {
  Json list = Json::array();
  for (const ObjectSums& state : states)
    list.push_back({state.objects, state.marks, state.contents});
  write_text(*store_, join_key(kPartial, text_hash(key)),
             Json{{"plan", plan_hash_}, {"key", key}, {"states", list}}.dump());
}

std::vector<ObjectSums> Journal::partial_states(const std::string& key) const {
  std::vector<ObjectSums> states;
  const auto text = read_text(*store_, join_key(kPartial, text_hash(key)));
  if (!text) return states;
  const Json json = Json::parse(*text, nullptr, false);
  try {
    if (json.at("plan") != plan_hash_ || json.at("key") != key) return states;
    for (const Json& state : json.at("states"))
      states.push_back({state.at(0), state.at(1), state.at(2)});
  } catch (const Json::exception&) {
    states.clear();  // Torn: then nobody knows.
  }
  return states;
}

namespace {

bool is_record(std::string_view key) {
  const std::string_view folder = key.substr(0, key.find('/'));
  return folder == kDone || folder == kPartial;
}

}  // namespace

bool Journal::is_empty() const {
  constexpr std::string_view kNames[] = {kPlan, kReady, kExchanging, kCommitted,
                                         kReport};
  bool is_empty = true;
  store_->scan("", [&](std::string_view key, std::int64_t) {
    is_empty = !is_record(key) &&
               std::find(std::begin(kNames), std::end(kNames), key) ==
                   std::end(kNames);
    return is_empty;
  });
  return is_empty;
}

void Journal::erase() {
  store_->erase(kPlan);  // Without it nothing of the rest counts.
  // Listed now: who writes a record later sees that the plan is gone.
  std::vector<std::string> keys{kReady, kExchanging};
  store_->list("", [&](std::string_view key, std::int64_t) {
    if (is_record(key)) keys.emplace_back(key);
  });
  store_->erase_many(keys);
}

bool Journal::begin_exchange(const std::string& record) {
  return store_->create_if_absent(kExchanging,
                                  std::as_bytes(std::span<const char>(record)));
}

void Journal::set_exchange(const std::string& record) {
  write_text(*store_, kExchanging, record);
}

void Journal::erase_exchange() { store_->erase(kExchanging); }

void Journal::set_committed() { write_text(*store_, kCommitted, plan_hash_); }

void Journal::erase_committed() {
  store_->erase_many(std::vector<std::string>{kCommitted, kReport});
}

void Journal::set_report(const std::string& report) {
  write_text(*store_, kReport, report);
}

std::optional<std::string> Journal::take_report() {
  auto report = read_text(*store_, kReport);
  if (report) store_->erase(kReport);
  return report;
}

Tally tally(const Plan& plan, const std::vector<Journal::Record>& records) {
  Tally result;
  for (const StagedCopySpec& array : plan.arrays) {
    result.stages.emplace_back(array.stages.size());
    result.digests.emplace_back(Digest{});
  }
  std::vector<const BatchRecord*> batches;
  for (const Journal::Record& record : records)
    for (const BatchRecord& batch : record.batches) batches.push_back(&batch);
  // Of records that begin together the longest comes first.
  std::sort(batches.begin(), batches.end(), [](const auto* a, const auto* b) {
    const auto key = [](const TaskRange& tasks) {
      return std::tuple(tasks.array, tasks.stage, tasks.first, -tasks.stop);
    };
    return key(a->tasks) < key(b->tasks);
  });
  for (const BatchRecord* batch : batches) add(*batch, result);
  return result;
}

std::string Tally::missing(const Plan& plan) const {
  for (std::size_t array = 0; array < plan.arrays.size(); ++array) {
    const auto& specs = plan.arrays[array].stages;
    for (std::size_t stage = 0; stage < specs.size(); ++stage) {
      const auto gaps =
          done.undone({static_cast<int>(array), static_cast<int>(stage), 0,
                       specs[stage].tasks});
      if (!gaps.empty())
        return fmt::format("array {}, stage {}, task {}", array, stage,
                           gaps[0].first);
    }
  }
  return "";
}

}  // namespace rechunk
