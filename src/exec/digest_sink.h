// Digests elements part by part as a reader delivers them: they are still in
// the cache, and nothing has moved them.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "base/digest.h"
#include "plan/cuts.h"
#include "zarr/chunks/array_reader.h"

namespace rechunk {

/// The scalars of elements in a layout's byte order, for digests.
std::vector<DigestScalar> digest_scalars(
    const std::vector<DataType::Scalar>& scalars);

/// Takes parts of an array from any number of threads.
class DigestSink final : public RegionSink {
 public:
  /// `cells`: a grid on the array; each cell gets a digest.
  /// `next`: gets all parts after this sink, or nullptr; must outlive the sink.
  /// `origin`: the first element of the grid in the array; empty: zeros.
  /// Elements outside the grid are not digested.
  DigestSink(std::vector<DigestScalar> scalars, Grid cells,
             RegionSink* next = nullptr, Shape origin = {});

  std::byte* place(const Region& part,
                   const std::vector<int>& axis_order) override;
  void put(const Region& part, const std::byte* data,
           const Shape& strides) override;
  void put_fill(const Region& part,
                std::span<const std::byte> element) override;
  std::span<std::byte> spare(const Region& region, std::int64_t bytes) override;

  /// Digests of the parts so far, by cell.
  const std::vector<Digest>& digests() const { return digests_; }

 private:
  void add(const Region& part, const std::byte* data, const Shape& strides);

  const std::vector<DigestScalar> scalars_;
  const Grid cells_;
  RegionSink* const next_;
  const Shape origin_;
  std::mutex mutex_;
  std::vector<Digest> digests_;
};

/// Digests the kept elements of an array apart from the others. Positions count
/// from the beginning of either part, so that the second digest is that of what
/// was appended.
class KeptDigestSink {
 public:
  KeptDigestSink(const std::vector<DigestScalar>& scalars, const Shape& shape,
                 const Kept& kept, RegionSink* next);

  RegionSink& sink() { return kept_ ? *kept_ : added_; }
  Digest kept() const;
  Digest added() const;

 private:
  DigestSink added_;
  std::optional<DigestSink> kept_;  ///< In front of the other.
};

Digest total(const std::vector<Digest>& digests);

/// The one cell of a whole array.
Grid whole_grid(const Shape& shape);

}  // namespace rechunk
