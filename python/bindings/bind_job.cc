// Job for Python: plans and runs. Reports travel as JSON text.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <thread>
#include <tuple>
#include <type_traits>
#include <variant>

#include "bindings.h"
#include "rechunk/store.h"
#include "request/own_places.h"
#include "store/file_url.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/dimension_names.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk::python {
namespace {

using nb::literals::operator""_a;

constexpr auto kPollInterval = std::chrono::milliseconds(100);

// A run on a thread of its own, so that the calling one can answer Ctrl-C and
// call Python's progress callback.
class NativeRun final : public Observer {
 public:
  explicit NativeRun(Job& job)
      : thread_([this, &job](std::stop_token stop) { work(job, stop); }) {}

  void on_progress(const Progress& progress) override {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
  }

  // Waits for the end, or for something to tell.
  std::optional<Progress> wait() {
    const nb::gil_scoped_release no_gil;
    // Meanwhile the run may call stores and array sources of Python.
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, kPollInterval, [&] { return done_; });
    return std::exchange(progress_, std::nullopt);
  }

  bool done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }

  void stop() {
    const nb::gil_scoped_release no_gil;
    thread_.request_stop();
    thread_.join();
  }

  Report report() {
    // The thread has ended, so this needs no lock.
    if (error_) std::rethrow_exception(error_);
    return std::move(report_);
  }

 private:
  void work(Job& job, std::stop_token stop) {
    try {
      report_ = job.run(this, stop);
    } catch (...) {
      error_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<Progress> progress_;
  bool done_ = false;
  Report report_;
  std::exception_ptr error_;
  std::jthread thread_;  // Last: it uses all of the above.
};

std::string run(Job& job, const nb::object& progress) {
  NativeRun run(job);
  try {
    while (!run.done()) {
      const auto told = run.wait();
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      if (told && !progress.is_none())
        progress(told->tasks_done, told->tasks_total, told->bytes_done,
                 told->bytes_total, told->seconds);
    }
  } catch (...) {
    run.stop();
    throw;
  }
  run.stop();
  return to_json(job.plan(), run.report(), in_keywords);
}

// Members of `Options` by name, and "notes": kind and text of each.
Options make_options(const nb::dict& dict) {
  Options options;
  for (const auto& [key, value] : dict) {
    const auto name = nb::cast<std::string>(key);
    if (name == "notes") {
      for (const auto& [kind, text] : nb::cast<TextByArray>(value))
        options.notes.add(kind, "", text);
      continue;
    }
    const auto field =
        std::find_if(std::begin(kOptionFields), std::end(kOptionFields),
                     [&](const auto& row) { return row.name == name; });
    if (field == std::end(kOptionFields))
      throw Error(ErrorKind::kInternal, "no option is called " + name);
    std::visit(
        [&](auto member) {
          using Value = std::remove_reference_t<decltype(options.*member)>;
          options.*member = nb::cast<Value>(value);
        },
        field->member);
  }
  return options;
}

Stores make_stores(const nb::dict& dict) {
  Stores stores;
  if (dict.contains("storage")) {
    const auto storage =
        nb::cast<std::map<std::string, StorageOptions>>(dict["storage"]);
    const auto options = [&](const char* place) {
      const auto found = storage.find(place);
      return found == storage.end() ? StorageOptions() : found->second;
    };
    stores.storage = {.source = options("source"),
                      .target = options("target"),
                      .temp = options("temp"),
                      .all = options("all")};
  }
  // A place that a text names is opened here. Only those beside a session are
  // given so: other places have their names in the plan.
  const auto store = [&](const char* name) -> std::shared_ptr<Store> {
    if (!dict.contains(name)) return nullptr;
    const nb::object given = nb::borrow<nb::object>(dict[name]);
    if (!nb::isinstance<nb::str>(given)) return make_python_store(given);
    const auto place = nb::cast<std::string>(given);
    return open_own_store(place, stores.storage.for_temp(place));
  };
  stores.source = store("source");
  stores.target = store("target");
  stores.temp = store("temp");
  stores.journal = store("journal");
  if (dict.contains("documents"))
    stores.documents =
        make_documents_store(nb::cast<nb::dict>(dict["documents"]));
  if (dict.contains("array_sources"))
    for (const auto& [path, source] : nb::cast<nb::dict>(dict["array_sources"]))
      stores.array_sources[nb::cast<std::string>(path)] =
          make_python_array_source(nb::borrow<nb::object>(source));
  return stores;
}

using StepTuple = std::tuple<std::string, int, int, std::int64_t, std::int64_t,
                             std::vector<int>>;

std::vector<StepTuple> steps(const Job& job, int max_chains) {
  std::vector<StepTuple> tuples;
  for (const Step& step : steps_of(job.plan(), max_chains))
    tuples.emplace_back(std::string(to_string(step.kind)), step.tasks.array,
                        step.tasks.stage, step.tasks.first, step.tasks.stop,
                        step.after);
  return tuples;
}

// As in the plan's JSON.
nb::dict notes(const Job& job) {
  nb::list not_rechunked, notes;
  for (const NotRechunked& array : job.plan().notes.not_rechunked) {
    nb::dict entry;
    entry["name"] = array.name;
    entry["cause"] = array.cause;
    not_rechunked.append(entry);
  }
  for (const Note& note : job.plan().notes.notes) {
    nb::dict entry;
    entry["kind"] = note.kind;
    entry["text"] = spelled(note.text, in_keywords);
    entry["arrays"] = note.arrays;
    notes.append(entry);
  }
  nb::dict all;
  all["not_rechunked"] = not_rechunked;
  all["notes"] = notes;
  return all;
}

// Names, shapes and dimensions of arrays, as JSON.
std::string describe(const std::string& url, const nb::dict& stores,
                     const std::vector<std::string>& references_below) {
  const Stores places = make_stores(stores);
  const nb::gil_scoped_release no_gil;
  const auto store =
      places.source
          ? places.source
          : open_store(url, places.storage.for_source(url), references_below);
  const Hierarchy hierarchy = read_hierarchy(*store);
  nlohmann::json json = {{"root_is_array", hierarchy.root_is_array},
                         {"arrays", nlohmann::json::array()}};
  const DimensionNames names(hierarchy);
  for (const auto& [path, array] : hierarchy.arrays)
    json["arrays"].push_back({{"name", path},
                              {"shape", array.shape},
                              {"dimensions", names.of(path, array)}});
  json["unread"] = nlohmann::json::array();
  for (const auto& [path, array] : hierarchy.unread)
    json["unread"].push_back(path);
  return json.dump();
}

// Name and cause of what is not rechunked; text and arrays of notes.
using NotRechunkedTuple = std::pair<std::string, std::string>;
using NoteTuple = std::pair<std::string, std::vector<std::string>>;

std::vector<std::string> note_lines(
    const std::vector<NotRechunkedTuple>& not_rechunked,
    const std::vector<NoteTuple>& texts) {
  Notes notes;
  for (const auto& [name, cause] : not_rechunked)
    notes.not_rechunked.push_back({name, cause});
  for (const auto& [text, arrays] : texts)
    notes.notes.push_back({"", arrays, text});
  return to_lines(notes);
}

// What a `.zarray` says, as a `zarr.json`.
std::string document_v3(const std::string& document) {
  // Documents are read from stores only.
  const auto store = make_memory_store();
  write_text(*store, ".zarray", document);
  write_hierarchy(*store, convert_format(read_hierarchy(*store), 3));
  return read_text(*store, "zarr.json").value();
}

}  // namespace

void register_job(nb::module_& module) {
  module.def("describe", &describe, "url"_a, "stores"_a, "references_below"_a);
  module.def("file_path", &file_path, "place"_a);
  module.def("note_lines", &note_lines, "not_rechunked"_a, "notes"_a);
  module.def("has_store", &has_store, "url"_a);
  module.def("document_v3", &document_v3, "document"_a);
  const nb::call_guard<nb::gil_scoped_release> without_gil;
  nb::class_<Job>(module, "Job", "A planned rechunk; see rechunk.h.")
      .def(
          "__init__",
          [](Job* self, const std::string& source, const std::string& target,
             const nb::dict& options, const nb::dict& stores) {
            const Options parsed = make_options(options);
            const Stores places = make_stores(stores);
            const nb::gil_scoped_release no_gil;
            // Made here, because the dicts are read with the GIL, and planning
            // must not hold it.
            new (self) Job(source, target, parsed, places);
          },
          "source"_a, "target"_a, "options"_a, "stores"_a)
      .def_static(
          "load",
          [](const std::string& text, const nb::dict& stores) {
            const Stores places = make_stores(stores);
            const nb::gil_scoped_release no_gil;
            return Job::load(text, places);
          },
          "plan_file"_a, "stores"_a)
      .def("save", [](const Job& job) { return job.save(); })
      .def("notes", &notes)
      .def("steps", &steps, "max_chains"_a = 256)
      .def("run", &run, "progress"_a = nb::none())
      .def("check_target", &Job::check_target, without_gil)
      .def("adopt_unfinished", &Job::adopt_unfinished, without_gil)
      .def("status",
           [](const Job& job) {
             const nb::gil_scoped_release no_gil;
             return to_json(job.status());
           })
      .def("discard", &Job::discard, without_gil);
}

}  // namespace rechunk::python
