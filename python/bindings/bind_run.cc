// Run for Python: the tasks of a run. Reports travel as JSON text.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>
#include <utility>

#include "bindings.h"
#include "rechunk/run.h"

namespace rechunk::python {
namespace {

using nb::literals::operator""_a;

// (array, stage, first, stop) each.
using Tasks = std::tuple<int, int, std::int64_t, std::int64_t>;

// Its thread may need the GIL before it ends, so whoever drops it must not
// wait with the GIL.
class PythonRun final : public Run {
 public:
  using Run::Run;
  ~PythonRun() {
    const nb::gil_scoped_release no_gil;
    const Run ended(std::move(*this));
  }
  PythonRun(const PythonRun&) = delete;
  PythonRun& operator=(const PythonRun&) = delete;
};

void run_together(PythonRun& run, const std::vector<Tasks>& tasks) {
  std::vector<TaskRange> ranges;
  for (const auto& [array, stage, first, stop] : tasks)
    ranges.push_back({array, stage, first, stop});
  const nb::gil_scoped_release no_gil;
  run.run_together(ranges);
}

void release(PythonRun& run, int array, int stage, std::int64_t first,
             std::int64_t stop) {
  run.release({array, stage, first, stop});
}

// None removes the object.
void publish(PythonRun& run, int array, const std::string& key,
             const std::optional<nb::bytes>& content) {
  std::optional<std::span<const std::byte>> object;
  if (content)
    object.emplace(static_cast<const std::byte*>(content->data()),
                   content->size());
  const nb::gil_scoped_release no_gil;
  run.publish(array, key, object);
}

std::string commit(PythonRun& run, bool by_journal) {
  Report report;
  {
    const nb::gil_scoped_release no_gil;
    report = run.commit(by_journal);
  }
  return to_json(run.plan(), report, in_keywords);
}

}  // namespace

void register_run(nb::module_& module) {
  const nb::call_guard<nb::gil_scoped_release> without_gil;
  nb::class_<PythonRun>(module, "Run",
                        "This process in a run of a job; see run.h.")
      .def(nb::init<Job&>(), "job"_a, nb::keep_alive<1, 2>())
      .def_prop_ro(
          "job", [](PythonRun& run) -> Job& { return run.job(); },
          nb::rv_policy::reference_internal)
      .def(
          "lead", [](PythonRun& run) { return run.lead(); }, without_gil)
      .def(
          "prepare", [](PythonRun& run) { return run.prepare(); }, without_gil)
      .def("run_together", &run_together, "tasks"_a)
      .def("release", &release, "array"_a, "stage"_a, "first"_a, "stop"_a,
           without_gil)
      .def("publish", &publish, "array"_a, "key"_a, "content"_a.none())
      .def("commit", &commit, "by_journal"_a = true)
      .def(
          "step_down", [](PythonRun& run) { return run.step_down(); },
          without_gil)
      .def(
          "trim_memory", [](PythonRun& run) { return run.trim_memory(); },
          without_gil);
}

}  // namespace rechunk::python
