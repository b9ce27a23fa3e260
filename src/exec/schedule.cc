#include "exec/schedule.h"

#include <algorithm>

#include "plan/planner.h"

namespace rechunk {
namespace {

// Erasing is quick, so a thread erases several objects at a time.
constexpr std::int64_t kReleasesPerWork = 16;

// Tasks up to this size take about as long as the store's answer. In larger
// packs, other threads would wait for the last task.
constexpr std::int64_t kSmallTaskBytes = std::int64_t{1} << 17;
constexpr std::int64_t kMaxPack = 16;
// A thread takes a quarter of its share of the remaining tasks.
constexpr std::int64_t kPartOfShare = 4;

}  // namespace

Schedule::Schedule(const Plan& plan, bool keep_temp, const DoneTasks* done,
                   const IdleThreads* idle)
    : plan_(plan), keep_temp_(keep_temp), done_(done), idle_(idle) {
  for (const StagedCopySpec& array : plan.arrays) {
    const auto index = static_cast<int>(grids_.size());
    grids_.emplace_back();
    for (const CopySpec& stage : array.stages) {
      const auto number = static_cast<int>(grids_.back().size());
      grids_.back().emplace_back(array.shape, array.component, stage.chunks);
      tasks_left_ += stage.tasks - (done ? done->count(index, number) : 0);
    }
  }
}

std::vector<Schedule::Phase> Schedule::phases_of(
    const StagedCopySpec& array) const {
  std::vector<Phase> phases;
  for (int stage = 0; stage < static_cast<int>(array.stages.size()); ++stage) {
    phases.push_back({stage, false});
    if (stage > 0 && !keep_temp_) phases.push_back({stage - 1, true});
  }
  return phases;
}

// Moves on until the component has tasks to give out, or has none left.
void Schedule::enter_phase(Component& component) {
  const auto phases = phases_of(plan_.arrays[component.array]);
  for (; component.phase < phases.size(); ++component.phase) {
    const TaskGrid& grid =
        grids_[component.array][phases[component.phase].stage];
    component.next = grid.first_task(component.index);
    component.stop = grid.first_task(component.index + 1);
    pass_done(component);
    if (component.next < component.stop) return;
  }
}

// Moves on to the next task that is not done. Releases are always repeated,
// because erasing twice does no harm.
void Schedule::pass_done(Component& component) const {
  if (!done_) return;
  const Phase phase = phases_of(plan_.arrays[component.array])[component.phase];
  if (phase.release) return;
  component.next = std::min(
      component.stop,
      done_->next_undone(component.array, phase.stage, component.next));
}

bool Schedule::open_component() {
  for (; next_array_ < static_cast<int>(plan_.arrays.size());
       ++next_array_, next_component_ = 0) {
    const StagedCopySpec& array = plan_.arrays[next_array_];
    if (next_component_ >= grids_[next_array_][0].component_count()) continue;
    const bool staged = array.method == Method::kStaged;
    // Each open component keeps an intermediate on disk. The plan has counted
    // so many (`Plan::temp_bytes`).
    if (staged &&
        staged_in_progress_ >= components_in_progress(array, plan_.threads))
      return false;
    Component component{.array = next_array_, .index = next_component_};
    enter_phase(component);
    ++next_component_;
    if (component.next == component.stop) return true;  // It was done before.
    components_.push_back(component);
    staged_in_progress_ += staged;
    return true;
  }
  return false;
}

std::optional<Work> Schedule::take() {
  // The oldest component comes first, so that its intermediate goes soon.
  for (Component& component : components_) {
    if (component.next == component.stop) continue;
    const Phase phase =
        phases_of(plan_.arrays[component.array])[component.phase];
    const std::int64_t first = component.next;
    component.next = std::min(component.stop,
                              first + (phase.release ? kReleasesPerWork : 1));
    const Work work{
        .tasks = {component.array, phase.stage, first, component.next},
        .release = phase.release,
        .component = &component};
    pass_done(component);
    ++component.in_progress;
    if (!work.release) tasks_left_ -= work.tasks.count();
    return work;
  }
  return std::nullopt;
}

bool Schedule::is_small(const Work& work) const {
  const CopySpec& stage =
      plan_.arrays[work.tasks.array].stages[work.tasks.stage];
  return !work.release &&
         stage.bytes_decoded <=
             kSmallTaskBytes * std::max<std::int64_t>(1, stage.tasks);
}

// Adds works that may run beside a small one. No component is opened for this
// while there is an intermediate, which is to be used up first.
void Schedule::fill(Pack& pack) {
  // Packs become smaller towards the end, so that all threads end together.
  const std::int64_t share = tasks_left_ / (kPartOfShare * plan_.threads);
  const auto most = static_cast<std::size_t>(std::min(kMaxPack, share));
  while (is_small(pack.back()) && pack.size() < most) {
    if (const auto work = take())
      pack.push_back(*work);
    else if (staged_in_progress_ > 0 || !open_component())
      return;
  }
}

Pack Schedule::next() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_) return {};
    if (const auto work = take()) {
      Pack pack{*work};
      fill(pack);
      return pack;
    }
    if (open_component()) continue;
    // Nothing could be opened, and nothing is in progress: all is done.
    if (components_.empty()) return {};
    if (idle_ && idle_->wanted()) return {Work{.help = true}};
    changed_.wait(lock);
  }
}

void Schedule::wake() {
  // With the lock, a thread that has just found nothing to help with waits
  // already. Without it, that thread could miss this call.
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

// True if others may have something to do now.
bool Schedule::finish(const Work& work) {
  auto component = std::find_if(
      components_.begin(), components_.end(),
      [&](const Component& one) { return &one == work.component; });
  if (--component->in_progress > 0 || component->next < component->stop)
    return false;
  ++component->phase;
  enter_phase(*component);
  if (component->next == component->stop) {
    staged_in_progress_ -=
        plan_.arrays[component->array].method == Method::kStaged;
    components_.erase(component);
  }
  return true;
}

void Schedule::finished(const Pack& pack) {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Work& work : pack) changed = finish(work) || changed;
  }
  if (changed) changed_.notify_all();
}

void Schedule::stop() {
  {
    // With the lock for the same reason as in `wake`.
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace rechunk
