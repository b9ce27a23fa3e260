// Arrays that lie in no Zarr store, and the places of a job.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "rechunk/shape.h"
#include "rechunk/store.h"

namespace rechunk {

/// An array that is not in a Zarr store. The caller reads its elements.
/// May be called from any thread.
class ArraySource {
 public:
  virtual ~ArraySource() = default;
  /// Fills `destination` with the elements of `region` in C order, in the type
  /// and byte order of the array's metadata document.
  virtual void read(const Region& region,
                    std::span<std::byte> destination) const = 0;
  /// True if the shape of a region does not matter for the cost. Then regions
  /// of the target's chunks are read, and the document's grid is not used.
  virtual bool any_regions() const { return false; }
};

/// The places of a job, if URLs do not name them.
struct Stores {
  std::shared_ptr<Store> source;     ///< Metadata documents, and chunks.
  std::shared_ptr<Store> documents;  ///< Documents of the source, if elsewhere.
  std::shared_ptr<Store> target;
  std::shared_ptr<Store> temp;     ///< For this run alone: it may be emptied.
  std::shared_ptr<Store> journal;  ///< Null: only `run` works.
  Storage storage;                 ///< For the places that URLs name.
  /// By path in the source; used instead of chunks there.
  std::map<std::string, std::shared_ptr<const ArraySource>> array_sources;
};

}  // namespace rechunk
