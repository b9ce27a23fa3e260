#include "job/compare_kept.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include "base/strided_copy.h"
#include "exec/block.h"
#include "job/job_runner.h"
#include "rechunk/error.h"
#include "request/target_hierarchy.h"
#include "verify/digest_array.h"
#include "verify/same_encoded.h"
#include "zarr/chunks/array_source_reader.h"
#include "zarr/documents/encoding.h"
#include "zarr/elements/element_type.h"
#include "zarr/elements/fill_value.h"
#include "zarr/elements/float_format.h"

namespace rechunk {
namespace {

constexpr std::int64_t kMostBytes = 256 << 20;  // Larger ones take too long.

using Element = std::span<const std::byte>;

/// The elements of one side, decoded, in C order and this machine's byte order.
class Elements {
 public:
  Elements(const RegionReader& reader, const ArrayMetadata& array, Arena& arena)
      : type_(element_type(array.data_type)), data_type_(array.data_type) {
    Shape all = array.shape;
    for (std::int64_t& length : all) length = std::max<std::int64_t>(1, length);
    const BlockLayout layout = BlockLayout::of_pieces(
        whole(array.shape), {all, all}, c_order(static_cast<int>(all.size())),
        array.data_type.item_bytes);
    Block block(layout, arena.take(layout.bytes()));
    const ArenaScope scope(arena);
    StageReport report;
    reader.read(layout.region(), block, arena, report);
    block.settle({});
    memory_ = block.memory();
  }

  Element at(std::int64_t index) const {
    const auto bytes = static_cast<std::size_t>(data_type_.item_bytes);
    return memory_.subspan(static_cast<std::size_t>(index) * bytes, bytes);
  }

  /// Nothing if elements are no numbers.
  std::optional<long double> number(std::int64_t index) const;

  std::string text(std::int64_t index) const {
    return describe_element(at(index), data_type_);
  }

 private:
  ElementType type_;
  DataType data_type_;
  std::span<const std::byte> memory_;
};

std::optional<long double> Elements::number(std::int64_t index) const {
  using Kind = ElementType::Kind;
  const Element element = at(index);
  std::uint64_t bits = 0;
  if (element.size() > sizeof bits) return std::nullopt;
  std::memcpy(&bits, element.data(), element.size());
  const int unused = 64 - 8 * static_cast<int>(element.size());
  switch (type_.kind) {
    case Kind::kBool:
    case Kind::kUnsigned:
      return static_cast<long double>(bits);
    case Kind::kInteger:
      return static_cast<long double>(
          static_cast<std::int64_t>(bits << unused) >> unused);
    case Kind::kFloat:
      return float_value(type_.name, bits);
    default:
      return std::nullopt;
  }
}

bool equal(const Elements& a, const Elements& b, std::int64_t index,
           bool same_type) {
  if (same_type && std::ranges::equal(a.at(index), b.at(index))) return true;
  const auto one = a.number(index), other = b.number(index);
  if (!one || !other) return false;
  return *one == *other || (std::isnan(*one) && std::isnan(*other));
}

// In little-endian order, which numbers are made of.
std::shared_ptr<const ArrayLayout> little_endian(const ArrayMetadata& array,
                                                 ArrayMetadata& plain) {
  plain = array;
  for (DataType::Scalar& scalar : plain.data_type.scalars)
    scalar.big_endian = false;
  return std::make_shared<const ArrayLayout>(make_layout(array));
}

std::int64_t element_bytes(const ArrayMetadata& array) {
  return checked_multiply(element_count(array.shape),
                          array.data_type.item_bytes);
}

bool same_stored(const PlannedJob& job, const std::string& path,
                 const ArrayMetadata& source, const ArrayMetadata& target) {
  if (!job.stores.source || job.stores.array_sources.contains(path) ||
      !(same_encoding(source, target) || same_chunk_encoding(source, target)))
    return false;
  MemoryBudget budget = process_budget(job);
  return same_encoded({job.stores.source, path, source},
                      {job.stores.target, path, target},
                      {budget, job.options.threads, {}, {}, {}});
}

void compare(const Elements& from, const Elements& to,
             const ArrayMetadata& source, const ArrayMetadata& target) {
  const bool same = same_type(source.data_type, target.data_type);
  const Grid elements(source.shape, Shape(source.shape.size(), 1));
  for (std::int64_t index = 0; index < elements.cell_count(); ++index) {
    if (equal(from, to, index, same)) continue;
    const std::string types =
        same ? ""
             : fmt::format(" (of types {} and {})", source.data_type.label(),
                           target.data_type.label());
    throw Error(
        ErrorKind::kInvalidArgument,
        fmt::format("element {} is {} in the source and {} in the target{}, "
                    "and the run does not write this array",
                    to_string(elements.coordinates(index)), from.text(index),
                    to.text(index), types),
        "the new data would not fit the target's values: select or sort the "
        "source, or leave this array out of it");
  }
}

}  // namespace

bool compare_kept_array(const PlannedJob& job, const std::string& path,
                        const ArrayMetadata& source,
                        const ArrayMetadata& target) {
  if (!is_decodable(source) || !is_decodable(target))
    return same_stored(job, path, source, target);
  ArrayMetadata from, to;
  const auto source_layout = little_endian(source, from);
  const auto target_layout = little_endian(target, to);
  const std::int64_t bytes =
      checked_add(checked_add(element_bytes(source), element_bytes(target)),
                  4 * MemoryBudget::kAlignment);
  const std::int64_t needed = checked_add(
      bytes,
      std::max({digest_bytes(*source_layout), digest_bytes(*target_layout),
                ArraySourceReader::unit_scratch_bytes(*source_layout)}));
  if (bytes > std::min(kMostBytes, job.options.max_memory / 4) ||
      needed > job.options.max_memory)
    return false;
  MemoryBudget budget = process_budget(job);
  Arena arena = budget.acquire(needed);
  const auto source_reader =
      make_reader(job.stores, path, source, from.data_type.scalars);
  const ArrayReader target_reader(job.stores.target, path, target_layout,
                                  to.data_type.scalars);
  const Elements a(*source_reader, from, arena), b(target_reader, to, arena);
  compare(a, b, from, to);
  return true;
}

}  // namespace rechunk
