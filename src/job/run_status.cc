#include "job/run_status.h"

#include <nlohmann/json.hpp>

#include "journal/journal.h"
#include "journal/run_lock.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

using OrderedJson = nlohmann::ordered_json;

void add_tasks(const Plan& plan, const Tally& done, Status& status) {
  status.progress = work_of(plan);
  Progress& progress = status.progress;
  for (std::size_t index = 0; index < plan.arrays.size(); ++index) {
    const StagedCopySpec& spec = plan.arrays[index];
    Status::Array array{spec.name, {}, {}};
    for (std::size_t stage = 0; stage < spec.stages.size(); ++stage) {
      array.tasks.push_back(spec.stages[stage].tasks);
      array.tasks_done.push_back(
          done.done.count(static_cast<int>(index), static_cast<int>(stage)));
      progress.tasks_done += array.tasks_done.back();
      progress.bytes_done =
          checked_add(progress.bytes_done, done.stages[index][stage].bytes());
    }
    status.arrays.push_back(std::move(array));
  }
}

void add_owner(const Store& journal, Status& status) {
  const auto owner = owner_of(journal);
  if (!owner) return;
  status.host = owner->process.host;
  status.user = owner->process.user;
  status.pid = owner->process.pid;
  status.since = owner->since;
  if (is_at_work(journal, *owner, 0)) status.state = Status::State::kRunning;
}

}  // namespace

Status read_status(const Store& target, const std::shared_ptr<Store>& journal) {
  Status status;
  const auto text = journal ? running_plan(*journal) : std::nullopt;
  if (!text) {
    if (has_metadata(target)) status.state = Status::State::kComplete;
    return status;
  }
  status.state = Status::State::kStopped;
  const Plan plan = plan_from_json(*text);
  const Journal records(journal, running_plan_hash(*journal).value_or(""));
  add_tasks(plan, tally(plan, records.records(plan)), status);
  add_owner(*journal, status);
  return status;
}

std::string_view to_string(Status::State state) {
  switch (state) {
    case Status::State::kAbsent:
      return "absent";
    case Status::State::kComplete:
      return "complete";
    case Status::State::kRunning:
      return "running";
    case Status::State::kStopped:
      return "stopped";
  }
  return "absent";
}

std::string to_json(const Status& status) {
  OrderedJson json = {{"version", 1},
                      {"state", to_string(status.state)},
                      {"tasks_done", status.progress.tasks_done},
                      {"tasks", status.progress.tasks_total},
                      {"bytes_done", status.progress.bytes_done},
                      {"bytes", status.progress.bytes_total},
                      {"owner", nullptr},
                      {"arrays", OrderedJson::array()}};
  if (status.pid != 0)
    json["owner"] = {{"host", status.host},
                     {"user", status.user},
                     {"pid", status.pid},
                     {"since", status.since}};
  for (const Status::Array& array : status.arrays)
    json["arrays"].push_back({{"name", array.name},
                              {"tasks_done", array.tasks_done},
                              {"tasks", array.tasks}});
  return json.dump(2) + "\n";
}

}  // namespace rechunk
