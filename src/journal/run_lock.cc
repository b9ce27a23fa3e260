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

#include "base/at_once.h"
#include "journal/beat.h"
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

std::string beat_key() {
  const Process& self = this_process();
  return fmt::format("{}/{}-{}-{}", kBeat, self.host, self.pid, self.start);
}

std::string key_of(std::int64_t number) {
  return fmt::format("{}/{}", kOwner, number);
}

// All locks that there are, the newest last.
RunLock::Numbers numbers_in(const Store& journal) {
  RunLock::Numbers numbers;
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
              {"process", json_of(this_process())},
              {"beat", beat_json()}}
      .dump();
}

Owner parse_owner(const Json& json) {
  return {process_from(json.at("process")), json.at("plan_hash"),
          json.at("team"), json.at("since")};
}

constexpr std::int64_t kMostText = 1 << 16;

// A damaged text is that of nobody.
std::optional<Json> parse_json(const std::optional<std::string>& text) {
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

std::optional<Json> read_json(const Store& journal, const std::string& key) {
  return parse_json(read_text(journal, key, kMostText));
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

std::optional<Json> owner_among(const Store& journal,
                                const RunLock::Numbers& numbers) {
  if (numbers.empty()) return std::nullopt;
  return read_json(journal, key_of(numbers.back()));
}

std::optional<Json> newest_owner(const Store& journal) {
  return owner_among(journal, numbers_in(journal));
}

// All signs of life; the lock itself is one.
std::vector<Beat> beats_in(const Store& journal) {
  std::vector<Beat> beats;
  const auto add = [&](const std::optional<Beat>& beat) {
    if (beat) beats.push_back(*beat);
  };
  for (const auto& text :
       read_texts(journal, keys_below(journal, kBeat), kMostText))
    add(parsed_or_nothing(parse_json(text), parse_beat));
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

/// The locks of a journal, the newest last.
struct Locks {
  RunLock::Numbers numbers;
  std::optional<Owner> busy;  ///< The owner of the newest, if it is at work.
};

Locks locks_in(const Store& journal) {
  Locks locks{numbers_in(journal), {}};
  const auto owner =
      parsed_or_nothing(owner_among(journal, locks.numbers), parse_owner);
  if (owner && is_at_work(journal, *owner, kQuietSeconds)) locks.busy = owner;
  return locks;
}

void erase_locks(Store& journal, const RunLock::Numbers& numbers,
                 const std::vector<std::string>& beats) {
  std::vector<std::string> keys;
  for (const std::int64_t number : numbers) keys.push_back(key_of(number));
  keys.insert(keys.end(), beats.begin(), beats.end());
  journal.erase_many(keys);
}

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
// 1. List the locks. If the owner of the newest is at work, give up. A listing
//    may be old: a number that was taken since cannot be created.
// 2. Create the next number. If another process was faster, begin again: it may
//    be at work now.
// 3. List again, and read the lock, at once. A store may have created the
// object
//    for two processes, so the text must be this one's. A newer lock may have
//    come and gone since the first listing, and then this number is old.
// 4. Erase the older locks and the signs of life of their processes. Nobody who
//    has an older number may work any more: see `check`.
std::optional<RunLock> RunLock::take(const std::shared_ptr<Store>& journal,
                                     const std::string& plan_hash, bool team,
                                     std::optional<Numbers> seen) {
  for (;; seen.reset()) {
    if (!seen) {
      const Locks locks = locks_in(*journal);
      if (locks.busy) return std::nullopt;
      seen = locks.numbers;
    }
    const std::int64_t number = seen->empty() ? 1 : seen->back() + 1;
    const std::string text = owner_text(plan_hash, team);
    // A store that was asked twice may say no, and have created it.
    if (!journal->create_if_absent(
            key_of(number), std::as_bytes(std::span<const char>(text))) &&
        read_text(*journal, key_of(number)) != text)
      continue;
    Numbers now;
    std::vector<std::string> beats;
    bool is_mine = false;
    at_once(journal->medium().is_remote,
            {[&] { now = numbers_in(*journal); },
             [&] { is_mine = read_text(*journal, key_of(number)) == text; },
             [&] { beats = keys_below(*journal, kBeat); }});
    if (!is_mine) continue;
    if (now.empty() || now.back() != number) {
      journal->erase(key_of(number));
      continue;
    }
    erase_locks(*journal, *seen, beats);
    return RunLock(journal, number, text, team);
  }
}

RunLock::Numbers RunLock::refuse_if_busy(const Store& journal) {
  Locks locks = locks_in(journal);
  if (locks.busy) refuse(journal, *locks.busy);
  return std::move(locks.numbers);
}

RunLock RunLock::lead(std::shared_ptr<Store> journal,
                      const std::string& plan_hash,
                      std::optional<Numbers> seen) {
  for (;;) {
    if (auto lock = take(journal, plan_hash, false, std::exchange(seen, {})))
      return *std::move(lock);
    if (const auto owner = owner_of(*journal)) refuse(*journal, *owner);
  }
}

std::optional<RunLock> RunLock::prepare(std::shared_ptr<Store> journal,
                                        const std::string& plan_hash) {
  return take(journal, plan_hash, true, {});
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

void RunLock::end() {
  heartbeat_.reset();
  erase(*journal_);
  journal_.reset();
}

bool RunLock::is_mine() const {
  Numbers numbers;
  std::optional<std::string> text;
  at_once(journal_->medium().is_remote,
          {[&] { numbers = numbers_in(*journal_); },
           [&] { text = read_text(*journal_, key_of(number_)); }});
  return !numbers.empty() && numbers.back() == number_ && text == text_;
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
  Numbers numbers;
  std::vector<std::string> beats;
  at_once(journal.medium().is_remote,
          {[&] { numbers = numbers_in(journal); },
           [&] { beats = keys_below(journal, kBeat); }});
  erase_locks(journal, numbers, beats);
}

}  // namespace rechunk
