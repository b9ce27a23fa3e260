#include "journal/run_lock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "json/checked_json.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;
using Seconds = std::chrono::duration<double>;

constexpr const char* kOwner = "owner";
constexpr const char* kBeat = "beat";
constexpr std::int64_t kMaxNumber = std::int64_t{1} << 62;
constexpr double kBeatSeconds = 5;
/// Without a beat for so long, nobody is at work.
constexpr double kQuietSeconds = 20;
/// The same where the beat was told by another machine's clock.
constexpr double kQuietSecondsElsewhere = 120;
constexpr double kLookSeconds = 0.5;
/// Who begins a run looks twice: without the lock, and before taking it.
constexpr double kMostWaitSeconds = 2 * kQuietSeconds;

/// A process said that it was at work.
struct Beat {
  Process process;
  double boot_seconds = 0;
  std::int64_t unix_time = 0;
};

Json process_json(const Process& process) {
  return {{"host", process.host}, {"user", process.user},
          {"boot", process.boot}, {"pid_space", process.pid_space},
          {"pid", process.pid},   {"start", process.start}};
}

Process parse_process(const Json& json) {
  return {json.at("host"),      json.at("user"), json.at("boot"),
          json.at("pid_space"), json.at("pid"),  json.at("start")};
}

Json beat_json() {
  return {{"process", process_json(this_process())},
          {"boot_seconds", seconds_since_boot()},
          {"time", unix_seconds()}};
}

Beat parse_beat(const Json& json) {
  return {parse_process(json.at("process")), json.at("boot_seconds"),
          json.at("time")};
}

std::string beat_key() {
  const Process& self = this_process();
  return fmt::format("{}/{}-{}-{}", kBeat, self.host, self.pid, self.start);
}

std::string key_of(std::int64_t number) {
  return fmt::format("{}/{}", kOwner, number);
}

// All locks that there are, the newest last.
std::vector<std::int64_t> numbers_in(const Store& journal) {
  std::vector<std::int64_t> numbers;
  journal.list(kOwner, [&](std::string_view key, std::int64_t) {
    key.remove_prefix(std::min(key.size(), std::string(kOwner).size() + 1));
    std::int64_t number = 0;
    const auto end = key.data() + key.size();
    const auto parsed = std::from_chars(key.data(), end, number);
    // Not the largest: another comes after it.
    if (parsed.ec == std::errc() && parsed.ptr == end && number < kMaxNumber)
      numbers.push_back(number);
  });
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string owner_text(const std::string& plan_hash, bool team) {
  return Json{{"plan_hash", plan_hash},
              {"team", team},
              {"since", unix_seconds()},
              {"process", process_json(this_process())},
              {"beat", beat_json()}}
      .dump();
}

Owner parse_owner(const Json& json) {
  return {parse_process(json.at("process")), json.at("plan_hash"),
          json.at("team"), json.at("since")};
}

// A damaged text is that of nobody.
std::optional<Json> read_json(const Store& journal, const std::string& key) {
  const auto text = read_text(journal, key, 1 << 16);
  if (!text) return std::nullopt;
  try {
    Json json = parse_checked<Json>(*text);
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

template <class Parse>
auto parsed_or_nothing(const std::optional<Json>& json, Parse&& parse)
    -> std::optional<decltype(parse(*json))> {
  if (!json) return std::nullopt;
  try {
    return parse(*json);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::optional<Json> newest_owner(const Store& journal) {
  const auto numbers = numbers_in(journal);
  if (numbers.empty()) return std::nullopt;
  return read_json(journal, key_of(numbers.back()));
}

// All signs of life; the lock itself is one.
std::vector<Beat> beats_in(const Store& journal) {
  std::vector<Beat> beats;
  const auto add = [&](const std::optional<Beat>& beat) {
    if (beat) beats.push_back(*beat);
  };
  for (const std::string& key : keys_below(journal, kBeat))
    add(parsed_or_nothing(read_json(journal, key), parse_beat));
  add(parsed_or_nothing(newest_owner(journal), [](const Json& json) {
    return parse_beat(json.at("beat"));
  }));
  return beats;
}

// By this machine's own clock, which nobody sets. Nothing for other machines.
std::optional<bool> is_fresh(const Beat& beat) {
  if (beat.process.boot != this_process().boot) return std::nullopt;
  return is_there(beat.process).value_or(true) &&
         seconds_since_boot() - beat.boot_seconds < kQuietSeconds;
}

// What the beats of other machines say; changes while one of them lives.
std::string beats_elsewhere(const Store& journal) {
  std::string text;
  for (const Beat& beat : beats_in(journal))
    if (!is_fresh(beat))
      text += fmt::format("{} {} {} ", beat.process.boot, beat.process.pid,
                          beat.boot_seconds);
  return text;
}

bool any_beats(const Store& journal, double patience) {
  bool elsewhere = false, recently = false;
  for (const Beat& beat : beats_in(journal)) {
    const auto fresh = is_fresh(beat);
    if (fresh.value_or(false)) return true;
    if (fresh) continue;
    elsewhere = true;
    recently =
        recently || static_cast<double>(unix_seconds() - beat.unix_time) <
                        kQuietSecondsElsewhere;
  }
  if (!elsewhere || patience <= 0) return recently;
  // Clocks differ: what counts is whether another beat comes.
  const std::string before = beats_elsewhere(journal);
  for (double waited = 0; waited < patience; waited += kLookSeconds) {
    std::this_thread::sleep_for(Seconds(kLookSeconds));
    if (beats_elsewhere(journal) != before) return true;
  }
  return false;
}

}  // namespace

void beat_if_due(Store& journal, LastBeat& last) {
  const double now = seconds_since_boot();
  double before = last;
  if (now - before < kBeatSeconds || !last.compare_exchange_strong(before, now))
    return;
  try {
    write_text(journal, beat_key(), beat_json().dump());
  } catch (const Error&) {
    // The run notices itself that its store has gone.
  }
}

namespace {

[[noreturn]] void refuse(const Store& journal, const Owner& owner) {
  throw Error(ErrorKind::kInvalidArgument,
              "locking " + journal.describe("") + ": " + describe(owner) +
                  " is at work there",
              fmt::format("wait for it, or end it; the lock of a process that "
                          "has died counts for {} seconds at most",
                          kMostWaitSeconds));
}

}  // namespace

std::optional<Owner> owner_of(const Store& journal) {
  return parsed_or_nothing(newest_owner(journal), parse_owner);
}

bool is_at_work(const Store& journal, const Owner& owner, double patience) {
  if (!owner.team)
    if (const auto there = is_there(owner.process)) return *there;
  return any_beats(journal, patience);
}

bool has_beats(const Store& journal) {
  return !keys_below(journal, kBeat).empty();
}

bool nobody_died(const Store& journal) {
  const auto numbers = numbers_in(journal);
  // Who takes a run over has another number, and erases the signs of life.
  if (!numbers.empty() && numbers.back() > 1) return false;
  const auto keys = keys_below(journal, kBeat);
  return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
    const auto beat = parsed_or_nothing(read_json(journal, key), parse_beat);
    return beat && is_there(beat->process).value_or(false);
  });
}

std::string describe(const Owner& owner) {
  const std::time_t since = owner.since;
  std::tm local{};
  localtime_r(&since, &local);
  return fmt::format("{} {} of {} on {}, since {:%Y-%m-%d %H:%M:%S},",
                     owner.team ? "the team of process" : "process",
                     owner.process.pid, owner.process.user, owner.process.host,
                     local);
}

Heartbeat::Heartbeat(std::shared_ptr<Store> journal, LastBeat& last) {
  beat_if_due(*journal, last);  // Before there is anything to be left behind.
  thread_ =
      std::jthread([journal = std::move(journal), &last](std::stop_token stop) {
        std::mutex mutex;
        std::condition_variable_any woken;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          woken.wait_for(lock, stop, Seconds(kBeatSeconds),
                         [&] { return stop.stop_requested(); });
          beat_if_due(*journal, last);
        }
      });
}

RunLock::RunLock(std::shared_ptr<Store> journal, std::int64_t number,
                 std::string text, bool team)
    : journal_(std::move(journal)),
      number_(number),
      text_(std::move(text)),
      team_(team),
      last_beat_(std::make_unique<LastBeat>(seconds_since_boot())) {
  if (!team_) heartbeat_ = std::make_unique<Heartbeat>(journal_, *last_beat_);
}

// No store can lock. But each can create an object only if there is none:
//
// 1. List the locks. If the owner of the newest is at work, give up.
// 2. Create the next number. If another process was faster, begin again: it may
//    be at work now.
// 3. List again. A store may have created the object for two processes, so the
//    text must be this one's. A newer lock may have come and gone since the
//    first listing, and then this number is old.
// 4. Erase the older locks and the signs of life of their processes. Nobody who
//    has an older number may work any more: see `check`.
std::optional<RunLock> RunLock::take(const std::shared_ptr<Store>& journal,
                                     const std::string& plan_hash, bool team) {
  for (;;) {
    const auto numbers = numbers_in(*journal);
    if (const auto owner = owner_of(*journal);
        owner && is_at_work(*journal, *owner, kQuietSeconds))
      return std::nullopt;
    const std::int64_t number = numbers.empty() ? 1 : numbers.back() + 1;
    const std::string text = owner_text(plan_hash, team);
    // A store that was asked twice may say no, and have created it.
    if (!journal->create_if_absent(
            key_of(number), std::as_bytes(std::span<const char>(text))) &&
        read_text(*journal, key_of(number)) != text)
      continue;
    // Again: a store may create twice, and a newer lock may have come and
    // gone since the listing.
    const auto now = numbers_in(*journal);
    if (read_text(*journal, key_of(number)) != text) continue;
    if (now.empty() || now.back() != number) {
      journal->erase(key_of(number));
      continue;
    }
    for (const std::int64_t old : numbers) journal->erase(key_of(old));
    for (const std::string& key : keys_below(*journal, kBeat))
      journal->erase(key);
    return RunLock(journal, number, text, team);
  }
}

void RunLock::refuse_if_busy(const Store& journal) {
  if (const auto owner = owner_of(journal);
      owner && is_at_work(journal, *owner, kQuietSeconds))
    refuse(journal, *owner);
}

RunLock RunLock::lead(std::shared_ptr<Store> journal,
                      const std::string& plan_hash) {
  for (;;) {
    if (auto lock = take(journal, plan_hash, false)) return *std::move(lock);
    if (const auto owner = owner_of(*journal)) refuse(*journal, *owner);
  }
}

std::optional<RunLock> RunLock::prepare(std::shared_ptr<Store> journal,
                                        const std::string& plan_hash) {
  return take(journal, plan_hash, true);
}

RunLock::~RunLock() {
  if (!journal_) return;
  heartbeat_.reset();
  if (team_) return;
  try {
    if (is_mine()) journal_->erase(key_of(number_));
    journal_->erase(beat_key());
  } catch (const Error&) {
    // This process is soon gone, and with it what the lock says.
  }
}

bool RunLock::is_mine() const {
  const auto numbers = numbers_in(*journal_);
  return !numbers.empty() && numbers.back() == number_ &&
         read_text(*journal_, key_of(number_)) == text_;
}

void RunLock::check() const {
  if (is_mine()) return;
  const auto owner = owner_of(*journal_);
  throw Error(ErrorKind::kIo,
              "working on " + journal_->describe("") + ": " +
                  (owner ? describe(*owner) + " has taken the run over"
                         : "its lock was removed"));
}

void erase_beat(Store& journal) { journal.erase(beat_key()); }

void RunLock::erase(Store& journal) {
  for (const std::int64_t number : numbers_in(journal))
    journal.erase(key_of(number));
  for (const std::string& key : keys_below(journal, kBeat)) journal.erase(key);
}

}  // namespace rechunk
