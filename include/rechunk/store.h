// The Store seam: where the bytes of a Zarr hierarchy lie.
//
// A store maps keys ("temp/c/0/1", never starting or ending with "/") to
// bytes. All methods may be called from any thread. The caller owns every
// buffer; the store owns concurrency and, where it makes sense, retries.
// An absent key is not an error. Stores are made from a URL by `open_store`
// (src/store/open.cc holds the one table) or injected by the caller. In memory:
// src/store/memory_store.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rechunk {

/// One range of one object, scattered into the caller's buffers.
struct ReadRequest {
  std::string key;
  /// First byte; negative counts from the end of the object (-20: the last 20).
  std::int64_t offset = 0;
  /// Filled in order. Reading stops at the object's end.
  std::vector<std::span<std::byte>> destination;

  // Results.
  bool found = false;             ///< False: there is no such object.
  std::int64_t bytes_read = 0;    ///< Less than asked for only at the end.
  std::int64_t object_bytes = 0;  ///< Size of the whole object.
  /// Another one once the object is replaced: its time, or a tag; 0: not known.
  std::int64_t version = 0;
};

/// Called with what is known of an object, there or not.
using VisitObject = std::function<void(const ReadRequest&)>;

/// Called with an object that a listing found; false ends the listing.
using VisitListed =
    std::function<bool(std::string_view key, std::int64_t bytes)>;

/// An object that is being written and is invisible until `commit`.
/// Used by one thread at a time. Destroying it uncommitted aborts: nothing is
/// left behind.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  /// Throws: io.
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// Fills the `header_bytes` that `open_writer` kept free at the object's
  /// start, then makes the object visible in one step, replacing any object
  /// under its key. `header` must have exactly that length.
  /// Throws: io.
  virtual void commit(std::span<const std::byte> header = {}) = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Carries out all requests, in any order, and fills in their results.
  /// Throws: io.
  virtual void read_many(std::span<ReadRequest> requests) const = 0;

  /// Begins an object whose first `header_bytes` bytes come last, at `commit`
  /// (the index of a shard that stands at its start).
  virtual std::unique_ptr<ObjectWriter> open_writer(
      std::string_view key, std::int64_t header_bytes = 0) = 0;

  /// Writes the object unless one exists; false if one does. Atomic.
  virtual bool create_if_absent(std::string_view key,
                                std::span<const std::byte> bytes) = 0;

  /// Removes an object; false if there was none.
  virtual bool erase(std::string_view key) = 0;

  /// Calls `visit(key, bytes)` for every object whose key is `prefix` or starts
  /// with `prefix` + "/" (all objects for ""), in no particular order, until
  /// it returns false. Unfinished objects of other writers are not listed.
  virtual void scan(std::string_view prefix,
                    const VisitListed& visit) const = 0;

  /// The same without an early end.
  void list(std::string_view prefix,
            const std::function<void(std::string_view key, std::int64_t bytes)>&
                visit) const;

  /// True if there is a folder, or what else there is without any object;
  /// nothing where that cannot be told.
  virtual std::optional<bool> exists() const { return std::nullopt; }

  /// Where a key lies, for messages: "/data/a.zarr/temp/c/0/1".
  virtual std::string describe(std::string_view key) const = 0;

  /// The same objects, with `key` or the key above the root as the root;
  /// nullptr where a store cannot be seen from there, or there is nothing
  /// above.
  virtual std::shared_ptr<Store> below(std::string_view /*key*/) const {
    return nullptr;
  }
  virtual std::shared_ptr<Store> above() const { return nullptr; }
};

/// The whole object, or nothing if it is absent. For metadata: throws corrupt
/// if it holds more than `max_bytes`.
std::optional<std::string> read_text(const Store& store, std::string_view key,
                                     std::int64_t max_bytes = 1 << 28);

/// The keys of all objects below a prefix, sorted.
std::vector<std::string> keys_below(const Store& store,
                                    std::string_view prefix);

/// Writes a whole object in one atomic step.
void write_object(Store& store, std::string_view key,
                  std::span<const std::byte> bytes);
void write_text(Store& store, std::string_view key, std::string_view text);

/// Opens the store that a URL or a local path names; nothing need exist there.
/// Throws: unsupported (the scheme is not in the table), invalid_argument (a
/// file stands there: the message says of which format).
std::shared_ptr<Store> open_store(const std::string& url);

/// Removes what killed processes left of objects that they were writing in the
/// store that a URL names. Nobody may be writing there. Throws: as open_store,
/// io.
void remove_unfinished(const std::string& url);

/// A store in memory, for tests and small data.
std::shared_ptr<Store> make_memory_store();

/// "group" + "temp" -> "group/temp"; "" is the root.
std::string join_key(std::string_view parent, std::string_view child);

}  // namespace rechunk
