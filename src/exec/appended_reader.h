// Reads what a target has already, and behind it what is appended.
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
  /// Makes a reader that is used for one call: it sees each object as it is at
  /// its first look, or fails.
  using KeptReader = std::function<std::unique_ptr<const RegionReader>()>;

  /// `fill`: of what is missing in `added`, the only fill that sinks get.
  AppendedReader(Kept kept, KeptReader kept_reader,
                 std::shared_ptr<const RegionReader> added,
                 std::vector<std::byte> fill);

  void read(const Region& region, RegionSink& sink, Arena& arena,
            StageReport& report) const override;
  /// Objects of `added`: the others are those that tasks write.
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
