// Reads regions of arrays that are not in a Zarr store, chunk by chunk.
#pragma once

#include <memory>
#include <vector>

#include "rechunk/array_source.h"
#include "zarr/chunks/array_reader.h"

namespace rechunk {

class ArraySourceReader final : public RegionReader {
 public:
  /// `layout`: of the source's metadata; one cell of its grid is read at a
  /// time. Elements get the byte order of `scalars`.
  ArraySourceReader(std::shared_ptr<const ArraySource> source,
                    std::shared_ptr<const ArrayLayout> layout,
                    const std::vector<DataType::Scalar>& scalars);

  void read(const Region& region, RegionSink& sink, Arena& arena,
            StageReport& report) const override;

  /// Memory for reading one chunk: our buffer, and the source's own array.
  static std::int64_t unit_scratch_bytes(const ArrayLayout& layout);

 private:
  std::shared_ptr<const ArraySource> source_;
  std::shared_ptr<const ArrayLayout> layout_;
  Grid chunks_;
  ByteSwap swap_;
};

}  // namespace rechunk
