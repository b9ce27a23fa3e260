// Reads an array that grows: first the target's own elements, then the appended
// ones.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plan/cuts.h"
#include "zarr/chunks/array_reader.h"

namespace rechunk {

/// An array whose first elements along an axis come from one reader, and all
/// others from another, which counts them from 0. Immutable; may be used by
/// many threads.
class AppendedReader final : public RegionReader {
 public:
  /// Makes a reader for one call. If an object changes during the call, it
  /// fails.
  using KeptReader = std::function<std::unique_ptr<const RegionReader>()>;

  /// `fill`: the element for missing chunks of `added`. Sinks get no other
  /// fill.
  AppendedReader(Kept kept, KeptReader kept_reader,
                 std::shared_ptr<const RegionReader> added,
                 std::vector<std::byte> fill);

  void read(const Region& region, RegionSink& sink, Arena& arena,
            StageReport& report) const override;
  /// Visits objects of `added` only. Tasks write the others.
  void visit_objects(const Region& region,
                     const VisitObject& visit) const override;

 private:
  void read_kept(const Region& region, RegionSink& sink, Arena& arena,
                 StageReport& report) const;
  Region added_part(const Region& region) const;

  const Kept kept_;
  const KeptReader kept_reader_;
  const std::shared_ptr<const RegionReader> added_;
  const std::vector<std::byte> fill_;
};

}  // namespace rechunk
