// The Store seam: a place for the bytes of a Zarr hierarchy.
//
// A store maps keys ("temp/c/0/1", never starting or ending with "/") to
// bytes. All methods may be called from any thread. The caller owns every
// buffer. The store handles concurrency and, if that makes sense, retries.
// An absent key is not an error. Its const methods are the reading half; stores
// that only have this half derive from `ReadOnlyStore`. `open_store` makes a
// store from a URL (the table is in src/store/stores.h), or the caller passes
// its own. The store in memory is in src/store/memory_store.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rechunk {

/// A request for one range of one object. The bytes go into the caller's
/// buffers.
struct ReadRequest {
  std::string key;
  /// First byte; negative counts from the end of the object (-20: the last 20).
  std::int64_t offset = 0;
  /// Buffers, filled in order. Reading stops at the object's end.
  std::vector<std::span<std::byte>> destination;

  // Results.
  bool found = false;             ///< False: the object does not exist.
  std::int64_t bytes_read = 0;    ///< Fewer only at the object's end.
  std::int64_t object_bytes = 0;  ///< Size of the whole object.
  /// Changes when the object is replaced: its time or a tag. 0: not known.
  std::int64_t version = 0;
};

/// Called on the thread that asked when a request is done, in the order in
/// which results come. True: the request now asks for something else, and is
/// run again with new results. So a caller keeps as many requests in flight as
/// it has buffers. If it throws, the store waits for what is in flight, or
/// stops it, before it passes the error on.
using OnRead = std::function<bool(ReadRequest&)>;

/// A whole object to write. The caller keeps the bytes until it is written.
struct WriteRequest {
  std::string key;
  std::span<const std::byte> bytes;
};

/// As `OnRead`, for an object that is now visible.
using OnWritten = std::function<bool(WriteRequest&)>;

/// What it costs to move bytes from and to a store.
struct Medium {
  /// Requests of one process that it serves at a time. 1: more do not help,
  /// because requests wait for nothing but this machine's processor.
  int requests = 1;
  double latency_seconds = 0;   ///< From a request to its first byte.
  double bytes_per_second = 0;  ///< Of all requests together; 0: as memory.
  /// Memory that an open writer has for itself, beside what its caller has.
  std::int64_t writer_bytes = 0;
  bool is_remote = false;  ///< Requests leave the machine.
  bool is_disk = false;    ///< Behind this machine's page cache.
  /// True if the store holds a copy of each request's bytes, so that requests
  /// in flight need their memory twice.
  bool copies = false;
};

/// How to reach a place: endpoint, region, credentials. The names are those of
/// obstore and fsspec; each store lists its own (README).
using StorageOptions = std::map<std::string, std::string>;

/// The same for the places of a job. The journal lies beside the target.
struct Storage {
  StorageOptions source, target, temp;  ///< These count first.
  StorageOptions all;                   ///< For each place that is not local.

  /// What counts for a place of each kind.
  StorageOptions for_source(const std::string& place) const;
  StorageOptions for_target(const std::string& place) const;
  StorageOptions for_temp(const std::string& place) const;
};

/// Those that are no secrets: plans keep these, so that other processes need
/// not be told again.
StorageOptions without_secrets(const StorageOptions& options);

/// Called with the result for an object, whether it exists or not.
using VisitObject = std::function<void(const ReadRequest&)>;

/// Called with an object that a listing found. Returning false ends it.
using VisitListed =
    std::function<bool(std::string_view key, std::int64_t bytes)>;

/// An object that is being written. It is invisible until `commit`.
/// Used by one thread at a time. If it is destroyed before `commit`, nothing
/// is left behind.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  /// Throws: io.
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// Fills the `header_bytes` that `open_writer` kept free at the object's
  /// start. Then makes the object visible in one step; it replaces an older
  /// object under its key. `header` must have exactly `header_bytes` bytes.
  /// Throws: io.
  virtual void commit(std::span<const std::byte> header = {}) = 0;
};

/// Who may be writing at a place.
enum class Writers { kNobody, kOthers };

class Store {
 public:
  virtual ~Store() = default;

  /// Runs all requests, in any order, and fills in their results. Calls
  /// `on_done`, if there is one, for each.
  /// Throws: io, and what `on_done` throws.
  virtual void read_many(std::span<ReadRequest> requests,
                         const OnRead& on_done) const = 0;
  void read_all(std::span<ReadRequest> requests) const {
    read_many(requests, nullptr);
  }
  void read_one(ReadRequest& request) const {
    read_many({&request, 1}, nullptr);
  }

  virtual Medium medium() const { return {}; }

  /// Begins an object. Its first `header_bytes` bytes are written last, by
  /// `commit` (the index at the start of a shard).
  virtual std::unique_ptr<ObjectWriter> open_writer(
      std::string_view key, std::int64_t header_bytes = 0) = 0;

  /// Writes whole objects, in any order, each in one atomic step. An object
  /// under the same key is replaced. Calls `on_done`, if there is one, for
  /// each. Without an override it writes one after the other. Throws: io, and
  /// what `on_done` throws.
  virtual void write_many(std::span<WriteRequest> requests,
                          const OnWritten& on_done);

  /// Writes the object if the key is free, else returns false. Atomic.
  virtual bool create_if_absent(std::string_view key,
                                std::span<const std::byte> bytes) = 0;

  /// Removes an object. False if there was none; true if the store cannot tell.
  virtual bool erase(std::string_view key) = 0;

  /// Removes objects, as far as they are there. Without an override it removes
  /// one after the other.
  virtual void erase_many(std::span<const std::string> keys);

  /// Removes what processes of this machine that have ended left of objects
  /// that they wrote under that key. A process of another machine may lose
  /// such an object, too: its `commit` throws io. Does nothing where unfinished
  /// objects leave no trace.
  virtual void drop_unfinished(std::string_view /*key*/) {}

  /// The same for all keys. If nobody else writes there, also what processes of
  /// other machines left, and folders that are empty without it.
  /// Throws: io.
  virtual void remove_unfinished(Writers /*writers*/) {}

  /// Calls `visit(key, bytes)` for every object whose key is `prefix` or starts
  /// with `prefix` + "/" (all objects for ""), in any order, until
  /// it returns false. Unfinished objects are not listed.
  virtual void scan(std::string_view prefix,
                    const VisitListed& visit) const = 0;

  /// False if `scan` throws unsupported: nobody says what a web server has.
  virtual bool can_list() const { return true; }

  /// Like `scan`, but always visits all objects.
  void list(std::string_view prefix,
            const std::function<void(std::string_view key, std::int64_t bytes)>&
                visit) const;

  /// True if the place exists even if it holds no object: a folder. Nothing if
  /// the store cannot know that.
  virtual std::optional<bool> exists() const { return std::nullopt; }

  /// Bytes that can still be written there; nothing if nobody can know.
  virtual std::optional<std::int64_t> free_bytes() const {
    return std::nullopt;
  }

  /// Returns when what was written will survive a loss of power.
  /// Throws: io.
  virtual void sync() {}

  /// The place of a key, for messages: "/data/a.zarr/temp/c/0/1".
  virtual std::string describe(std::string_view key) const = 0;

  /// Places of other stores that have its bytes. A run does not write there.
  virtual std::vector<std::string> reads_from() const { return {}; }

  /// The same store with another root: `key`, or the key above the root.
  /// nullptr if the store cannot do that, or nothing is above.
  virtual std::shared_ptr<Store> below(std::string_view /*key*/) const {
    return nullptr;
  }
  virtual std::shared_ptr<Store> above() const { return nullptr; }
};

/// The writing half of a store that can only be read: it throws unsupported,
/// and names the place and its kind ("a zip archive").
class ReadOnlyStore : public Store {
 public:
  explicit ReadOnlyStore(std::string kind) : kind_(std::move(kind)) {}
  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header) final;
  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) final;
  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) final;
  bool erase(std::string_view key) final;

 private:
  [[noreturn]] void refuse(std::string_view key) const;
  const std::string kind_;
};

/// `read_many` of a store whose requests wait for nothing: one after the other.
/// `read(request)` answers one.
template <class Read>
void read_in_turn(std::span<ReadRequest> requests, const OnRead& on_done,
                  Read&& read) {
  for (ReadRequest& request : requests) {
    do {
      read(request);
    } while (on_done && on_done(request));
  }
}

/// The whole object, or nothing if it is absent. For metadata.
/// Throws: corrupt if it has more than `max_bytes`.
std::optional<std::string> read_text(const Store& store, std::string_view key,
                                     std::int64_t max_bytes = 1 << 28);

/// The same of many objects, many at a time.
std::vector<std::optional<std::string>> read_texts(
    const Store& store, std::span<const std::string> keys,
    std::int64_t max_bytes = 1 << 28);

/// True if there is an object with this key. One request. Throws: io.
bool has_object(const Store& store, std::string_view key);

/// The same of many objects, all at a time.
std::vector<bool> have_objects(const Store& store,
                               std::span<const std::string> keys);

/// The keys of all objects below a prefix, sorted.
std::vector<std::string> keys_below(const Store& store,
                                    std::string_view prefix);

/// Writes a whole object in one atomic step.
void write_object(Store& store, std::string_view key,
                  std::span<const std::byte> bytes);
void write_text(Store& store, std::string_view key, std::string_view text);

/// Opens the store that a URL or a local path names. The place does not have to
/// exist. Throws: unsupported (the scheme is not in the table),
/// invalid_argument (it is a file; the message names the file's format).
/// A place that ends in .zip or .json may be an archive or a file of references
/// at any of them; `references_below`: `Options::references_below`.
std::shared_ptr<Store> open_store(
    const std::string& url, const StorageOptions& options = {},
    const std::vector<std::string>& references_below = {});

/// The object that a URL or a local path names, in the store around it.
struct StoredObject {
  std::shared_ptr<Store> store;
  std::string key;
};
StoredObject open_object(const std::string& url, const Storage& storage = {});

/// True if `open_store` has a store for the URL's scheme, or it is a path.
bool has_store(const std::string& url);

/// What `open_store` opens, for messages and help: "paths and file://".
std::string known_places();

/// A store in memory, for tests and small data.
std::shared_ptr<Store> make_memory_store();

/// "group" + "temp" -> "group/temp"; "" is the root.
std::string join_key(std::string_view parent, std::string_view child);

}  // namespace rechunk
