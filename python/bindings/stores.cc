// Stores and array sources that are Python objects. Every call takes the GIL;
// a Python exception becomes an Error that carries its text.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstring>
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
  explicit PythonStore(nb::object store) : store_(std::move(store)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    // Each request takes the GIL anew, so that other threads can go on.
    read_in_turn(requests, on_done, [&](ReadRequest& request) {
      with_gil("reading " + request.key, [&] { read(request); });
    });
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

  void write(const std::string& key, std::span<const std::byte> bytes) {
    with_gil("writing " + key,
             [&] { (*store_).attr("write")(key, as_bytes(bytes)); });
  }

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

  // read(key, offset, length) -> (bytes, size of the object), or None.
  void read(ReadRequest& request) const {
    std::int64_t length = 0;
    for (const auto& part : request.destination)
      length += static_cast<std::int64_t>(part.size());
    const nb::object answer =
        (*store_).attr("read")(request.key, request.offset, length);
    request.found = !answer.is_none();
    request.bytes_read = request.object_bytes = 0;
    if (!request.found) return;
    const auto bytes = nb::cast<nb::bytes>(answer[0]);
    request.object_bytes = nb::cast<std::int64_t>(answer[1]);
    const auto* data = static_cast<const std::byte*>(bytes.data());
    std::size_t left = bytes.size();
    for (const auto& part : request.destination) {
      const std::size_t count = std::min(part.size(), left);
      std::memcpy(part.data(), data, count);
      data += count;
      left -= count;
      request.bytes_read += static_cast<std::int64_t>(count);
    }
  }

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
    store_.write(key_, bytes_);
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
