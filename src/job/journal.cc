#include "job/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <tuple>

#include "rechunk/error.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;
using std::chrono::steady_clock;

constexpr const char* kPlan = "plan.json";
constexpr const char* kClaim = "claim";
constexpr const char* kDone = "done";
constexpr auto kClaimPatience = std::chrono::seconds(60);
constexpr auto kClaimInterval = std::chrono::milliseconds(20);

std::string key_of(const Journal::Batch& batch) {
  return fmt::format("{}/{}/{}/{}-{}", kDone, batch.array, batch.stage,
                     batch.first, batch.stop);
}

// Takes a number and the character behind it off the front of a key.
template <class Number>
bool take_number(std::string_view& key, char end, Number& number) {
  const auto parsed =
      std::from_chars(key.data(), key.data() + key.size(), number);
  if (parsed.ec != std::errc()) return false;
  key.remove_prefix(static_cast<std::size_t>(parsed.ptr - key.data()));
  if (end == '\0') return key.empty();
  if (key.empty() || key[0] != end) return false;
  key.remove_prefix(1);
  return true;
}

std::optional<Journal::Batch> parse_key(std::string_view key) {
  Journal::Batch batch;
  const std::string prefix = std::string(kDone) + "/";
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  if (take_number(key, '/', batch.array) &&
      take_number(key, '/', batch.stage) &&
      take_number(key, '-', batch.first) && take_number(key, '\0', batch.stop))
    return batch;
  return std::nullopt;
}

Json counts_json(const Counts& counts) {
  return {counts.tasks,
          counts.objects_read,
          counts.bytes_decoded,
          counts.objects_written,
          counts.bytes_encoded,
          counts.stored_bytes_read,
          counts.stored_bytes_written};
}

Counts parse_counts(const Json& json) {
  return {json.at(0), json.at(1), json.at(2), json.at(3),
          json.at(4), json.at(5), json.at(6)};
}

std::string format_result(const TaskResult& result) {
  return Json{{"counted", counts_json(result.report.counted)},
              {"skipped", counts_json(result.report.skipped)},
              {"digest", {result.digest.lanes[0], result.digest.lanes[1]}}}
      .dump();
}

TaskResult parse_result(const std::string& text) {
  const Json json = Json::parse(text);
  TaskResult result;
  result.report = {parse_counts(json.at("counted")),
                   parse_counts(json.at("skipped"))};
  result.digest.lanes[0] = json.at("digest").at(0);
  result.digest.lanes[1] = json.at("digest").at(1);
  return result;
}

// Adds what a record has beyond the first `done` tasks of its stage. Counts of
// records that overlap count twice, as the work was done twice.
void add(const Journal::Record& record, std::int64_t& done, StageReport& report,
         std::optional<Digest>* digest) {
  if (record.batch.stop <= done) return;
  if (digest && record.batch.first < done) digest->reset();
  done = record.batch.stop;
  report += record.result.report;
  if (digest && *digest) **digest += record.result.digest;
}

}  // namespace

std::optional<std::string> Journal::plan_hash() const {
  const auto text = read_text(*store_, kPlan);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  return json.is_object() ? json.value("plan_hash", "") : "";
}

bool Journal::claim() {
  if (store_->create_if_absent(kClaim, {})) return true;
  for (const auto begin = steady_clock::now();
       steady_clock::now() - begin < kClaimPatience;
       std::this_thread::sleep_for(kClaimInterval))
    if (plan_hash()) return false;
  throw Error(ErrorKind::kIo,
              "preparing " + store_->describe("") +
                  ": another process began to and did not finish",
              "remove that folder if no other process is at work");
}

void Journal::begin(const std::string& plan_file) {
  write_text(*store_, kPlan, plan_file);
}

void Journal::record(const Batch& batch, const TaskResult& result) {
  write_text(*store_, key_of(batch), format_result(result));
}

bool Journal::has(const Batch& batch) const {
  ReadRequest request{.key = key_of(batch)};
  store_->read_many({&request, 1});
  return request.found;
}

std::vector<Journal::Record> Journal::batches() const {
  std::vector<Record> records;
  store_->list(kDone, [&](std::string_view key, std::int64_t) {
    if (const auto batch = parse_key(key)) records.push_back({*batch, {}});
  });
  return records;
}

std::vector<Journal::Record> Journal::records() const {
  std::vector<Record> records = batches();
  for (Record& record : records) {
    const std::string key = key_of(record.batch);
    const auto text = read_text(*store_, key);
    if (!text) return {};  // Another process has committed: all are going.
    try {
      record.result = parse_result(*text);
    } catch (const nlohmann::json::exception& error) {
      throw Error(ErrorKind::kCorrupt,
                  "reading " + store_->describe(key) + ": " + error.what());
    }
  }
  return records;
}

void Journal::erase() {
  store_->erase(kClaim);
  store_->erase(kPlan);  // Without it nothing of the rest counts.
  // Listed now: who writes a record later sees that the plan is gone.
  std::vector<std::string> keys;
  store_->list(kDone, [&](std::string_view key, std::int64_t) {
    keys.emplace_back(key);
  });
  for (const std::string& key : keys) store_->erase(key);
}

Tally tally(const Plan& plan, std::vector<Journal::Record> records) {
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    const auto key = [](const Journal::Batch& batch) {
      return std::tuple(batch.array, batch.stage, batch.first, -batch.stop);
    };
    return key(a.batch) < key(b.batch);
  });
  Tally result;
  auto record = records.begin();
  for (std::size_t array = 0; array < plan.arrays.size(); ++array) {
    const StagedCopySpec& spec = plan.arrays[array];
    result.stages.emplace_back(spec.stages.size());
    result.digests.emplace_back(Digest{});
    for (std::size_t stage = 0; stage < spec.stages.size(); ++stage) {
      std::int64_t done = 0;
      for (; record != records.end() &&
             record->batch.array == static_cast<int>(array) &&
             record->batch.stage == static_cast<int>(stage);
           ++record)
        if (record->batch.first <= done)
          add(*record, done, result.stages[array][stage],
              stage == 0 ? &result.digests[array] : nullptr);
      if (done < spec.stages[stage].tasks && result.missing.empty())
        result.missing =
            fmt::format("array {}, stage {}, task {}", array, stage, done);
    }
  }
  return result;
}

}  // namespace rechunk
