// Changes the byte order of elements, scalar by scalar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "zarr/elements/data_type.h"

namespace rechunk {

/// The scalars to reverse in each element; none if both byte orders are the
/// same.
class ByteSwap {
 public:
  ByteSwap() = default;
  /// Requires: the same scalars but for byte order.
  ByteSwap(const std::vector<DataType::Scalar>& from,
           const std::vector<DataType::Scalar>& to);

  bool needed() const { return !parts_.empty(); }

  /// Reverses in place. Requires: whole elements.
  void apply(std::span<std::byte> elements) const noexcept;

 private:
  struct Part {
    std::int64_t offset;
    std::int64_t bytes;
  };
  std::vector<Part> parts_;
  std::int64_t item_bytes_ = 0;
  std::int64_t uniform_bytes_ = 0;  ///< All of an element, in equal parts.
};

}  // namespace rechunk
