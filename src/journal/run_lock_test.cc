#include "journal/run_lock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "rechunk/error.h"
#include "rechunk/store.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

Json process_json(const Process& process) {
  return {{"host", process.host}, {"user", process.user},
          {"boot", process.boot}, {"pid_space", process.pid_space},
          {"pid", process.pid},   {"start", process.start}};
}

Json beat_json(const Process& process, double boot_seconds) {
  return {{"process", process_json(process)},
          {"boot_seconds", boot_seconds},
          {"time", unix_seconds() - 1000}};
}

// As that process would have written it, some time ago.
void write_lock(Store& journal, const Process& process, bool team = false) {
  write_text(journal, "owner/7",
             Json{{"plan_hash", "p"},
                  {"team", team},
                  {"since", 0},
                  {"process", process_json(process)},
                  {"beat", beat_json(process, 1)}}
                 .dump());
}

Process elsewhere() {
  Process process = this_process();
  process.host = "node7";
  process.boot = "of another machine";
  return process;
}

bool is_at_work(const Store& journal, double patience) {
  return is_at_work(journal, owner_of(journal).value(), patience);
}

std::string refusal(const std::shared_ptr<Store>& journal) {
  try {
    RunLock::lead(journal, "q");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_NE(error.hint().find("counts for 40 seconds at most"),
              std::string::npos)
        << error.hint();
    return error.what();
  }
  return "";
}

TEST(RunLock, HasOneHolderWhoIsNamed) {
  const std::shared_ptr<Store> journal = make_memory_store();
  {
    const RunLock lock = RunLock::lead(journal, "p");
    const std::string text = refusal(journal);
    EXPECT_NE(text.find(std::to_string(this_process().pid)), text.npos) << text;
    EXPECT_NE(text.find(this_process().host), text.npos) << text;
    EXPECT_FALSE(RunLock::prepare(journal, "q"));
    lock.check();
  }
  EXPECT_FALSE(owner_of(*journal));
  EXPECT_EQ(refusal(journal), "");
}

TEST(RunLock, OfAProcessThatHasDiedIsTaken) {
  const std::shared_ptr<Store> journal = make_memory_store();
  Process dead = this_process();  // Its number is used again, by this one.
  dead.start -= 1;
  write_lock(*journal, dead);
  EXPECT_FALSE(is_at_work(*journal, 60));
  const RunLock lock = RunLock::lead(journal, "q");
  EXPECT_EQ(owner_of(*journal)->plan_hash, "q");
  lock.check();
}

TEST(RunLock, OfAnotherMachineCountsWhileItBeats) {
  const std::shared_ptr<Store> journal = make_memory_store();
  write_lock(*journal, elsewhere());
  EXPECT_FALSE(is_at_work(*journal, 1.2));  // However wrong its clock is.
  const std::jthread other([&](const std::stop_token& stop) {
    for (int beat = 2; !stop.stop_requested(); ++beat) {
      write_text(*journal, "beat/node7", beat_json(elsewhere(), beat).dump());
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  EXPECT_TRUE(is_at_work(*journal, 60));
  const std::string text = refusal(journal);
  EXPECT_NE(text.find("node7"), text.npos) << text;
}

TEST(RunLock, ThatIsDamagedIsNobodys) {
  const std::shared_ptr<Store> journal = make_memory_store();
  for (const char* text : {"", "{", "[]", R"({"process": 3})"}) {
    write_text(*journal, "owner/7", text);
    const RunLock lock = RunLock::lead(journal, "q");
    EXPECT_EQ(owner_of(*journal)->plan_hash, "q");
  }
}

TEST(RunLock, SaysWhenAnotherTookTheRunOver) {
  const std::shared_ptr<Store> journal = make_memory_store();
  {
    const RunLock lock = RunLock::lead(journal, "p");
    for (const char* number : {"owner/1", "owner/2"}) {
      RunLock::erase(*journal);
      write_text(*journal, number, Json{{"plan_hash", "q"}}.dump());
      EXPECT_THROW(lock.check(), Error);
    }
  }
  EXPECT_TRUE(read_text(*journal, "owner/2"));  // It was not ours to remove.
}

}  // namespace
}  // namespace rechunk
