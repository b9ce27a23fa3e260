#include "zarr/chunks/shard_object.h"

#include <utility>

#include "rechunk/error.h"
#include "zarr/chunks/object_marks.h"

namespace rechunk {

ShardObject::ShardObject(Store& store, std::string key, const ShardLevel& level,
                         std::span<std::byte> index, bool erase_empty)
    : store_(store),
      key_(std::move(key)),
      level_(level),
      index_bytes_(index),
      index_(level, index),
      erase_empty_(erase_empty),
      end_(level.index_at_start ? level.index_bytes : 0) {
  index_.clear();
}

void ShardObject::add(const Shape& coordinates, ShardIndex::Entry place) {
  index_.set(index_.position(coordinates), {end_ + place.offset, place.bytes});
}

void ShardObject::append(std::span<const std::byte> bytes) {
  // Nothing was appended yet, so `end_` is the size of the header.
  if (!object_) object_ = store_.open_writer(key_, end_);
  object_->append(bytes);
  hash_.append(bytes);
  end_ += static_cast<std::int64_t>(bytes.size());
}

void ShardObject::finish(StageReport& report) {
  if (!object_) {
    if (erase_empty_) store_.erase(key_);
    report.skipped.objects_written += 1;
    return;
  }
  index_.seal();
  with_context(
      [&] {
        if (level_.index_at_start) return object_->commit(index_bytes_);
        append(index_bytes_);
        object_->commit();
      },
      [&] { return "writing " + describe(); });
  // In the order of writing (`note_existing` reads in the same order).
  if (level_.index_at_start) hash_.append(index_bytes_);
  note_written(report, key_, end_, hash_.value());
  report.counted.objects_written += 1;
  report.counted.stored_bytes_written += end_;
}

}  // namespace rechunk
