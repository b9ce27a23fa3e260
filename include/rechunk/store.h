// The Store seam: a place for the bytes of a Zarr hierarchy.
//
// A store maps keys ("temp/c/0/1", never starting or ending with "/") to
// bytes. All methods may be called from any thread. The caller owns every
// buffer. The store handles concurrency and, if that makes sense, retries.
// An absent key is not an error. `open_store` makes a store from a URL (the
// table is in src/store/stores.h), or the caller passes its own. The store in
// memory is in src/store/memory_store.cc.
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

class Store {
 public:
  virtual ~Store() = default;

  /// Runs all requests, in any order, and fills in their results.
  /// Throws: io.
  virtual void read_many(std::span<ReadRequest> requests) const = 0;

  /// Begins an object. Its first `header_bytes` bytes are written last, by
  /// `commit` (the index at the start of a shard).
  virtual std::unique_ptr<ObjectWriter> open_writer(
      std::string_view key, std::int64_t header_bytes = 0) = 0;

  /// Writes the object if the key is free, else returns false. Atomic.
  virtual bool create_if_absent(std::string_view key,
                                std::span<const std::byte> bytes) = 0;

  /// Removes an object. False if there was none.
  virtual bool erase(std::string_view key) = 0;

  /// Removes what processes of this machine that have ended left of objects
  /// that they wrote under that key. A process of another machine may lose
  /// such an object, too: its `commit` throws io. Does nothing where unfinished
  /// objects leave no trace.
  virtual void drop_unfinished(std::string_view /*key*/) {}

  /// Calls `visit(key, bytes)` for every object whose key is `prefix` or starts
  /// with `prefix` + "/" (all objects for ""), in any order, until
  /// it returns false. Unfinished objects are not listed.
  virtual void scan(std::string_view prefix,
                    const VisitListed& visit) const = 0;

  /// Like `scan`, but always visits all objects.
  void list(std::string_view prefix,
            const std::function<void(std::string_view key, std::int64_t bytes)>&
                visit) const;

  /// True if the place exists even if it holds no object: a folder. Nothing if
  /// the store cannot know that.
  virtual std::optional<bool> exists() const { return std::nullopt; }

  /// The place of a key, for messages: "/data/a.zarr/temp/c/0/1".
  virtual std::string describe(std::string_view key) const = 0;

  /// The same store with another root: `key`, or the key above the root.
  /// nullptr if the store cannot do that, or nothing is above.
  virtual std::shared_ptr<Store> below(std::string_view /*key*/) const {
    return nullptr;
  }
  virtual std::shared_ptr<Store> above() const { return nullptr; }
};

/// The whole object, or nothing if it is absent. For metadata.
/// Throws: corrupt if it has more than `max_bytes`.
std::optional<std::string> read_text(const Store& store, std::string_view key,
                                     std::int64_t max_bytes = 1 << 28);

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
std::shared_ptr<Store> open_store(const std::string& url);

/// True if `open_store` has a store for the URL's scheme, or it is a path.
bool has_store(const std::string& url);

/// What `open_store` opens, for messages and help: "paths and file://".
std::string known_places();

/// Who may be writing at a place.
enum class Writers { kNobody, kOthers };

/// Removes half-written objects of killed processes from the store that a URL
/// names. If others may be writing there, only those whose processes do not run
/// on this machine any more. Throws: as open_store, io.
void remove_unfinished(const std::string& url,
                       Writers writers = Writers::kNobody);

/// A store in memory, for tests and small data.
std::shared_ptr<Store> make_memory_store();

/// "group" + "temp" -> "group/temp"; "" is the root.
std::string join_key(std::string_view parent, std::string_view child);

}  // namespace rechunk
