#include "exec/appended_reader.h"

#include <algorithm>
#include <utility>

namespace rechunk {
namespace {

/// The reader of the appended elements counts from 0. This sink adds the length
/// of the kept elements to its coordinates.
class MovedSink final : public RegionSink {
 public:
  MovedSink(const Kept& kept, RegionSink& next) : kept_(kept), next_(next) {}

  std::byte* place(const Region& part,
                   const std::vector<int>& axis_order) override {
    return next_.place(behind(part), axis_order);
  }
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override {
    next_.put(behind(part), data, strides);
  }
  void put_fill(const Region& part,
                std::span<const std::byte> element) override {
    next_.put_fill(behind(part), element);
  }

 private:
  Region behind(const Region& part) const {
    return moved(part, kept_.axis, kept_.length);
  }

  const Kept& kept_;
  RegionSink& next_;
};

/// A block takes only one fill element (`Block::put_fill`). The kept elements
/// may have another one than the appended ones. Then they are put as data.
class DataSink final : public RegionSink {
 public:
  DataSink(std::span<const std::byte> fill, RegionSink& next)
      : fill_(fill), next_(next) {}

  std::byte* place(const Region& part,
                   const std::vector<int>& axis_order) override {
    return next_.place(part, axis_order);
  }
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override {
    next_.put(part, data, strides);
  }
  void put_fill(const Region& part,
                std::span<const std::byte> element) override {
    if (std::equal(element.begin(), element.end(), fill_.begin(), fill_.end()))
      next_.put_fill(part, element);
    else
      // Strides of 0 repeat the one element.
      next_.put(part, element.data(), Shape(part.start.size(), 0));
  }

 private:
  const std::span<const std::byte> fill_;
  RegionSink& next_;
};

}  // namespace

AppendedReader::AppendedReader(Kept kept, KeptReader kept_reader,
                               std::shared_ptr<const RegionReader> added,
                               std::vector<std::byte> fill)
    : kept_(kept),
      kept_reader_(std::move(kept_reader)),
      added_(std::move(added)),
      fill_(std::move(fill)) {}

// Counted from the first appended element; empty if there are none.
Region AppendedReader::added_part(const Region& region) const {
  Region part = moved(region, kept_.axis, -kept_.length);
  part.start[kept_.axis] = std::max<std::int64_t>(0, part.start[kept_.axis]);
  part.stop[kept_.axis] = std::max<std::int64_t>(0, part.stop[kept_.axis]);
  return part;
}

void AppendedReader::read(const Region& region, RegionSink& sink, Arena& arena,
                          StageReport& report) const {
  read_kept(region, sink, arena, report);
  const Region added = added_part(region);
  if (added.empty()) return;
  MovedSink moved_sink(kept_, sink);
  added_->read(added, moved_sink, arena, report);
}

void AppendedReader::read_kept(const Region& region, RegionSink& sink,
                               Arena& arena, StageReport& report) const {
  Region kept = region;
  kept.stop[kept_.axis] = std::min(kept.stop[kept_.axis], kept_.length);
  if (kept.start[kept_.axis] >= kept.stop[kept_.axis] || kept.empty()) return;
  DataSink data(fill_, sink);
  StageReport own;
  kept_reader_()->read(kept, data, arena, own);
  // This run replaces the kept objects itself, so their marks do not tell
  // whether the source has changed.
  own.source_marks.clear();
  report += own;
}

void AppendedReader::visit_objects(const Region& region,
                                   const VisitObject& visit) const {
  const Region added = added_part(region);
  if (!added.empty()) added_->visit_objects(added, visit);
}

}  // namespace rechunk
