#include "job/partial_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/content_hash.h"
#include "job/target_place.h"
#include "rechunk/error.h"
#include "store/forwarding_store.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/chunks/object_marks.h"
#include "zarr/documents/encoding.h"

namespace rechunk {
namespace {

constexpr std::size_t kHashBytes = 64 << 10;

ObjectMark mark_of(const ReadRequest& request) {
  if (!request.found) return {};
  return {request.object_bytes, request.version};
}

std::string mark_text(const ObjectMark& mark) {
  return mark.bytes < 0 ? "-" : fmt::format("{}@{}", mark.bytes, mark.version);
}

std::int64_t parse_number(std::string_view word) {
  std::int64_t number = -1;
  const auto end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0)
    throw Error(ErrorKind::kCorrupt, fmt::format("\"{}\" is no mark", word));
  return number;
}

ObjectMark parse_mark(std::string_view word) {
  if (word == "-") return {};
  const auto at = word.find('@');
  if (at == word.npos) return {parse_number(word), 0};
  return {parse_number(word.substr(0, at)), parse_number(word.substr(at + 1))};
}

std::vector<ObjectMark> parse_marks(std::string_view text) {
  std::vector<ObjectMark> marks;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    marks.push_back(parse_mark(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return marks;
}

[[noreturn]] void throw_changed(const Store& store, const std::string& key) {
  throw Error(
      ErrorKind::kInvalidArgument,
      store.describe(key) +
          " is not what it was when the run was planned: somebody "
          "else changed it",
      action("discard") + " the run, look at the target, and plan again");
}

/// An object that is published only if the run still has a right to.
class FencedWriter final : public ObjectWriter {
 public:
  FencedWriter(std::shared_ptr<PartialObjects> objects, std::string key,
               std::unique_ptr<ObjectWriter> writer)
      : objects_(std::move(objects)),
        key_(std::move(key)),
        writer_(std::move(writer)) {}

  void append(std::span<const std::byte> bytes) override {
    hash_.append(bytes);
    writer_->append(bytes);
  }
  void commit(std::span<const std::byte> header) override {
    hash_.append(header);
    StageReport report;
    note_written(report, key_, hash_.bytes(), hash_.value());
    objects_->before_change(key_, report.written);
    writer_->commit(header);
  }

 private:
  const std::shared_ptr<PartialObjects> objects_;
  const std::string key_;
  const std::unique_ptr<ObjectWriter> writer_;
  ContentHash hash_;
};

class FencedStore final : public ForwardingStore {
 public:
  FencedStore(std::shared_ptr<Store> store,
              std::shared_ptr<PartialObjects> objects)
      : ForwardingStore(std::move(store)), objects_(std::move(objects)) {}

  std::unique_ptr<ObjectWriter> open_writer(std::string_view key,
                                            std::int64_t header) override {
    auto writer = store_->open_writer(key, header);
    if (!objects_->is_fenced(std::string(key))) return writer;
    return std::make_unique<FencedWriter>(objects_, std::string(key),
                                          std::move(writer));
  }
  void write_many(std::span<WriteRequest> requests,
                  const OnWritten& on_done) override {
    const bool fenced = std::ranges::any_of(requests, [&](const auto& each) {
      return objects_->is_fenced(each.key);
    });
    fenced ? Store::write_many(requests, on_done)
           : store_->write_many(requests, on_done);
  }
  bool erase(std::string_view key) override {
    if (objects_->is_fenced(std::string(key)))
      objects_->before_change(std::string(key), {});
    return store_->erase(key);
  }

 private:
  const std::shared_ptr<PartialObjects> objects_;
};

/// What one call reads. Used by one thread.
class KeptView final : public ForwardingStore {
 public:
  KeptView(std::shared_ptr<Store> store,
           std::shared_ptr<const PartialObjects> objects)
      : ForwardingStore(std::move(store)), objects_(std::move(objects)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    store_->read_many(requests, [&](ReadRequest& request) {
      const ObjectMark mark = mark_of(request);
      const auto [seen, first] = seen_.try_emplace(request.key, mark);
      if (first)
        objects_->known_state(request.key, mark);
      else if (seen->second != mark)
        throw Error(ErrorKind::kIo, "it changed while it was read")
            .set_retryable(true);
      return on_done && on_done(request);
    });
  }

 private:
  const std::shared_ptr<const PartialObjects> objects_;
  mutable std::map<std::string, ObjectMark> seen_;
};

}  // namespace

namespace {

std::vector<std::string> keys_of(const PlannedJob& job, const std::string& path,
                                 const Region& elements) {
  std::vector<std::string> keys;
  const ArrayMetadata& target = job.target.arrays.at(path);
  for_each_point(
      Grid(target.shape, target.chunks).cells_touching(elements),
      [&](const Shape& object) {
        keys.push_back(join_key(path, chunk_key(target.key_encoding, object)));
      });
  return keys;
}

// Objects that a later append will write again.
std::vector<std::string> last_keys(const PlannedJob& job,
                                   const std::string& path) {
  const int axis = job.existing->arrays.at(path).kept.axis;
  const ArrayMetadata& target = job.target.arrays.at(path);
  Region last = whole(target.shape);
  const std::int64_t beyond = target.shape[axis] % target.chunks[axis];
  if (beyond == 0) return {};
  last.start[axis] = last.stop[axis] - beyond;
  return keys_of(job, path, last);
}

}  // namespace

std::vector<std::string> partial_keys(const PlannedJob& job,
                                      const std::string& path) {
  const Kept& kept = job.existing->arrays.at(path).kept;
  if (kept.length == 0) return {};
  return keys_of(job, path, kept.region(job.target.arrays.at(path).shape));
}

std::string partial_marks(const PlannedJob& job, const std::string& path) {
  std::string text;
  for (const std::string& key : partial_keys(job, path)) {
    ReadRequest request{.key = key};
    job.stores.target->read_one(request);
    text += (text.empty() ? "" : " ") + mark_text(mark_of(request));
  }
  return text;
}

PartialObjects::PartialObjects(const PlannedJob& job, const std::string& path)
    : job_(job), store_(job.stores.target), path_(path) {
  const auto keys = partial_keys(job, path);
  const auto marks = parse_marks(job.existing->arrays.at(path).marks);
  if (keys.size() != marks.size())
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the plan has marks of {} objects, not of {}",
                            marks.size(), keys.size()));
  for (std::size_t at = 0; at < keys.size(); ++at)
    planned_.emplace(keys[at], marks[at]);
  for (std::string& key : last_keys(job, path)) last_.insert(std::move(key));
  const auto shards = outermost_shards(job.target.arrays.at(path));
  if (shards && shards->index_at_start) header_bytes_ = shards->index_bytes;
}

std::shared_ptr<Store> PartialObjects::target() {
  return std::make_shared<FencedStore>(store_, shared_from_this());
}

std::shared_ptr<const Store> PartialObjects::view() {
  return std::make_shared<KeptView>(store_, shared_from_this());
}

void PartialObjects::publish(const std::string& key,
                             std::optional<std::span<const std::byte>> object) {
  const auto store = target();
  if (!object) {
    store->erase(key);
    return;
  }
  const auto header_bytes =
      std::min(header_bytes_, static_cast<std::int64_t>(object->size()));
  const auto writer = store->open_writer(key, header_bytes);
  writer->append(object->subspan(header_bytes));
  writer->commit(object->first(header_bytes));
}

AppendedReader::KeptReader PartialObjects::reader(
    const std::shared_ptr<const ArrayLayout>& layout) {
  return [objects = shared_from_this(), layout] {
    return std::make_unique<const ArrayReader>(objects->view(), objects->path_,
                                               layout, layout->scalars);
  };
}

ObjectMark PartialObjects::now(const std::string& key) const {
  ReadRequest request{.key = key};
  store_->read_one(request);
  return mark_of(request);
}

void PartialObjects::check_as_planned() const {
  for (const auto& [key, mark] : planned_)
    if (now(key) != mark) throw_changed(*store_, key);
}

ObjectSums PartialObjects::contents(const std::string& key) const {
  ObjectSums sums;
  std::vector<std::byte> buffer(kHashBytes);
  note_existing(sums, *store_, key, header_bytes_, buffer);
  return sums;
}

// What this run may have left there.
std::vector<ObjectSums> PartialObjects::states(const std::string& key) const {
  if (job_.stores.journal)
    return Journal(job_.stores.journal, job_.hash).partial_states(key);
  const std::lock_guard lock(mutex_);
  const auto found = written_.find(key);
  return found == written_.end() ? std::vector<ObjectSums>() : found->second;
}

std::vector<ObjectSums> PartialObjects::known_state(
    const std::string& key, const ObjectMark& mark) const {
  if (mark == planned_.at(key)) return {};
  const auto left = states(key);
  const ObjectSums now = left.empty() ? ObjectSums{} : contents(key);
  if (std::find(left.begin(), left.end(), now) != left.end()) return {now};
  throw_changed(*store_, key);
}

void PartialObjects::before_change(const std::string& key,
                                   const ObjectSums& next) {
  std::optional<Journal> journal;
  if (job_.stores.journal) journal.emplace(job_.stores.journal, job_.hash);
  if (journal && !journal->is_running())
    throw Error(ErrorKind::kInvalidArgument,
                "writing " + store_->describe(key) +
                    ": its run has ended; nothing was written");
  if (!planned_.contains(key)) return;
  std::vector<ObjectSums> left = known_state(key, now(key));
  left.push_back(next);
  if (journal) {
    journal->record_partial(key, left);
    return make_durable(job_);
  }
  const std::lock_guard lock(mutex_);
  written_[key] = std::move(left);
}

}  // namespace rechunk
