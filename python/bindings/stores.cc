// Stores and array sources that are Python objects. Every call takes the GIL;
// a Python exception becomes an Error that carries its text.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings.h"
#include "rechunk/error.h"

namespace rechunk::python {
namespace {

// The error for an exception of Python. An exception of this package has a
// message and a hint of its own.
Error error_of(const std::string& what, const nb::python_error& error) {
  const nb::handle value = error.value();
  if (!nb::hasattr(value, "message") || !nb::hasattr(value, "hint"))
    return Error(ErrorKind::kIo, what + ": " + error.what());
  return Error(ErrorKind::kInvalidArgument,
               what + ": " + nb::cast<std::string>(value.attr("message")),
               nb::cast<std::string>(value.attr("hint")));
}

// Calls with the GIL held.
template <class Action>
auto with_gil(const std::string& what, Action&& action)
    -> std::invoke_result_t<Action> {
  const nb::gil_scoped_acquire gil;
  try {
    return action();
  } catch (nb::python_error& error) {
    throw error_of(what, error);
  }
}

// A Python object that may be dropped by any thread.
class Held {
 public:
  explicit Held(nb::object object) : object_(std::move(object)) {}
  ~Held() {
    if (!Py_IsInitialized()) {
      // The interpreter has ended, and its objects with it.
      object_.release();
      return;
    }
    const nb::gil_scoped_acquire gil;
    object_.reset();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  const nb::object& operator*() const { return object_; }

 private:
  nb::object object_;
};

nb::bytes as_bytes(std::span<const std::byte> bytes) {
  return nb::bytes(bytes.data(), bytes.size());
}

class PythonStore final : public Store {
 public:
  explicit PythonStore(nb::object store)
      : traits_(traits_of(store)), store_(std::move(store)) {}

  Medium medium() const override { return traits_.medium; }

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    run_many(
        "reading ", requests, on_done,
        [&](const ReadRequest& request) {
          std::int64_t length = 0;
          for (const auto& part : request.destination)
            length += static_cast<std::int64_t>(part.size());
          return (*store_).attr("read")(request.key, request.offset, length);
        },
        take_answer);
  }

  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override {
    run_many(
        "writing ", requests, on_done,
        [&](const WriteRequest& request) {
          return (*store_).attr("write")(request.key, content(request.bytes));
        },
        [](WriteRequest&, const nb::object&) {});
  }

  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header_bytes) override;

  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    return with_gil("creating " + std::string(key), [&] {
      return nb::cast<bool>((*store_).attr("create_if_absent")(
          std::string(key), as_bytes(bytes)));
    });
  }

  bool erase(std::string_view key) override {
    return with_gil("erasing " + std::string(key), [&] {
      return nb::cast<bool>((*store_).attr("erase")(std::string(key)));
    });
  }

  // Takes keys from the store in batches, so that visitors run without the GIL.
  // The first batch is one key, so a visitor that wants only one needs no whole
  // listing.
  void scan(std::string_view prefix, const VisitListed& visit) const override {
    constexpr std::size_t kBatch = 1024;
    const std::string what = "listing " + std::string(prefix);
    const Held items = with_gil(what, [&] {
      return Held(nb::iter((*store_).attr("list")(std::string(prefix))));
    });
    std::vector<std::pair<std::string, std::int64_t>> found;
    for (std::size_t wanted = 1;; wanted = kBatch) {
      found.clear();
      with_gil(what, [&] {
        while (found.size() < wanted) {
          const auto item = nb::steal<nb::object>(PyIter_Next((*items).ptr()));
          if (!item.is_valid() && PyErr_Occurred()) throw nb::python_error();
          if (!item.is_valid()) return;
          found.emplace_back(nb::cast<std::string>(item[0]),
                             nb::cast<std::int64_t>(item[1]));
        }
      });
      for (const auto& [key, bytes] : found)
        if (!visit(key, bytes)) return;
      if (found.size() < wanted) return;
    }
  }

  std::string describe(std::string_view key) const override {
    return with_gil("describing a store", [&] {
      return nb::cast<std::string>(
          (*store_).attr("describe")(std::string(key)));
    });
  }

  std::shared_ptr<Store> below(std::string_view key) const override {
    return other_root("at", std::string(key));
  }
  std::shared_ptr<Store> above() const override { return other_root("above"); }

 private:
  // What the method gives, if the object has it.
  template <class... Arguments>
  std::shared_ptr<Store> other_root(const char* method,
                                    const Arguments&... arguments) const {
    return with_gil("opening a group", [&]() -> std::shared_ptr<Store> {
      if (!nb::hasattr(*store_, method)) return nullptr;
      return make_python_store((*store_).attr(method)(arguments...));
    });
  }

  struct Traits {
    Medium medium;
    bool borrows = false;
  };

  // python/rechunk/store_traits.py. Objects without traits answer in turn.
  static Traits traits_of(const nb::object& store) {
    if (!nb::hasattr(store, "traits")) return {};
    const nb::object traits = store.attr("traits");
    const bool is_remote = nb::cast<bool>(traits.attr("is_remote"));
    return {
        {.requests = nb::cast<int>(traits.attr("requests")),
         .latency_seconds = nb::cast<double>(traits.attr("latency_seconds")),
         .is_remote = is_remote,
         // Its answers lie in memory of Python until they are copied.
         .copies = is_remote},
        nb::cast<bool>(traits.attr("borrows"))};
  }

  // The bytes of a write: the caller's memory if the store needs it only until
  // it has written, else a copy.
  nb::object content(std::span<const std::byte> bytes) const {
    if (!traits_.borrows || bytes.empty()) return as_bytes(bytes);
    // PyMemoryView_FromMemory does not write.
    auto* data = reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data()));
    return nb::steal<nb::object>(PyMemoryView_FromMemory(
        data, static_cast<Py_ssize_t>(bytes.size()), PyBUF_READ));
  }

  // Keeps some requests in flight (python/rechunk/requests.py). Results come to
  // this thread, which waits without the GIL. ask(request) gives a coroutine;
  // take(request, answer) copies the answer.
  template <class Request, class Done, class Ask, class Take>
  void run_many(const char* verb, std::span<Request> requests,
                const Done& on_done, const Ask& ask, const Take& take) const {
    if (requests.empty()) return;
    const Held flight = with_gil(
        "asking a store", [&] { return Held((*store_).attr("requests")()); });
    const auto begin = [&](std::size_t first, std::size_t count) {
      with_gil(verb + requests[first].key, [&] {
        nb::list begun;
        for (std::size_t at = first; at < first + count; ++at)
          begun.append(nb::make_tuple(at, ask(requests[at])));
        (*flight).attr("start")(begun);
      });
    };
    try {
      std::size_t next = std::min(
          requests.size(), static_cast<std::size_t>(std::max(
                               kRequestsInTurn, traits_.medium.requests)));
      begin(0, next);
      for (std::size_t flying = next; flying > 0;) {
        std::string what = "waiting for a store";
        const auto at = with_gil(what, [&] {
          const auto number = nb::cast<std::size_t>((*flight).attr("take")());
          what = verb + requests[number].key;
          take(requests[number], nb::object((*flight).attr("result")()));
          return number;
        });
        if (on_done && on_done(requests[at])) {
          begin(at, 1);
        } else if (next < requests.size()) {
          begin(next++, 1);
        } else {
          --flying;
        }
      }
    } catch (...) {
      // A write may still read the caller's bytes after it was cancelled.
      const bool writes = std::is_same_v<Request, WriteRequest>;
      with_gil("cancelling requests",
               [&] { (*flight).attr(writes ? "wait" : "cancel")(); });
      throw;
    }
  }

  // An answer is (buffer, size of the object), or None.
  static void take_answer(ReadRequest& request, const nb::object& answer) {
    request.found = !answer.is_none();
    request.bytes_read = request.object_bytes = request.version = 0;
    if (!request.found) return;
    const nb::object buffer = answer[0];
    request.object_bytes = nb::cast<std::int64_t>(answer[1]);
    Py_buffer view;
    if (PyObject_GetBuffer(buffer.ptr(), &view, PyBUF_SIMPLE) != 0)
      throw nb::python_error();
    {
      const nb::gil_scoped_release free;
      copy({static_cast<const std::byte*>(view.buf),
            static_cast<std::size_t>(view.len)},
           request);
    }
    PyBuffer_Release(&view);
  }

  static void copy(std::span<const std::byte> from, ReadRequest& request) {
    for (const auto& part : request.destination) {
      const std::size_t count = std::min(part.size(), from.size());
      std::copy_n(from.begin(), count, part.begin());
      from = from.subspan(count);
      request.bytes_read += static_cast<std::int64_t>(count);
    }
  }

  // So that one request of a store on this machine can be copied while another
  // is on its way.
  static constexpr int kRequestsInTurn = 2;

  const Traits traits_;
  Held store_;
};

// Python stores take whole objects: an object is assembled in memory.
class PythonWriter final : public ObjectWriter {
 public:
  PythonWriter(PythonStore& store, std::string key, std::int64_t header_bytes)
      : store_(store),
        key_(std::move(key)),
        bytes_(static_cast<std::size_t>(header_bytes)) {}

  void append(std::span<const std::byte> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  void commit(std::span<const std::byte> header) override {
    std::copy(header.begin(), header.end(), bytes_.begin());
    WriteRequest request{key_, bytes_};
    store_.write_many({&request, 1}, nullptr);
  }

 private:
  PythonStore& store_;
  const std::string key_;
  std::vector<std::byte> bytes_;
};

std::unique_ptr<ObjectWriter> PythonStore::open_writer(
    std::string_view key, std::int64_t header_bytes) {
  return std::make_unique<PythonWriter>(*this, std::string(key), header_bytes);
}

nb::tuple as_tuple(const Shape& shape) {
  nb::list list;
  for (const std::int64_t length : shape) list.append(length);
  return nb::tuple(list);
}

class PythonArraySource final : public ArraySource {
 public:
  explicit PythonArraySource(nb::object source)
      : any_regions_(nb::cast<bool>(source.attr("any_regions"))),
        source_(std::move(source)) {}

  bool any_regions() const override { return any_regions_; }

  void read(const Region& region,
            std::span<std::byte> destination) const override {
    with_gil("reading region " + to_string(region.start) + " to " +
                 to_string(region.stop) + " of the source",
             [&] {
               const auto view = nb::steal<nb::object>(PyMemoryView_FromMemory(
                   reinterpret_cast<char*>(destination.data()),
                   static_cast<Py_ssize_t>(destination.size()), PyBUF_WRITE));
               (*source_).attr("read")(as_tuple(region.start),
                                       as_tuple(region.stop), view);
             });
  }

 private:
  const bool any_regions_;
  Held source_;
};

}  // namespace

std::shared_ptr<Store> make_python_store(nb::object store) {
  if (store.is_none()) return nullptr;
  return std::make_shared<PythonStore>(std::move(store));
}

std::shared_ptr<Store> make_documents_store(nb::dict documents) {
  auto store = make_memory_store();
  for (const auto& [key, text] : documents)
    write_text(*store, nb::cast<std::string>(key), nb::cast<std::string>(text));
  return store;
}

std::shared_ptr<const ArraySource> make_python_array_source(nb::object source) {
  return std::make_shared<PythonArraySource>(std::move(source));
}

}  // namespace rechunk::python
