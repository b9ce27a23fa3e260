// Groups, whose documents may contradict each other: what is read must be the
// same once it has been written.
#include <algorithm>

#include "input.h"
#include "targets.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk::fuzz {
namespace {

template <class Nodes>
bool has_all(const Nodes& nodes, const Nodes& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& node) {
    return nodes.contains(node.first);
  });
}

void check_copy(const Hierarchy& hierarchy) {
  const auto copy = make_memory_store();
  write_hierarchy(*copy, hierarchy);
  Hierarchy again;
  try {
    again = read_hierarchy(*copy);
  } catch (const Error& error) {
    throw Finding(std::string("what was written cannot be read: ") +
                  error.what());
  }
  require(again.arrays.size() == hierarchy.arrays.size() &&
              has_all(again.arrays, hierarchy.arrays),
          "arrays come or go");
  // v2 implies groups above nodes; v3 does not.
  require(has_all(again.groups, hierarchy.groups), "groups are lost");
  require(again.consolidated == hierarchy.consolidated,
          "consolidated metadata comes or goes");
  erase_hierarchy(*copy, true);
  require(!has_metadata(*copy), "documents are left");
}

}  // namespace

void fuzz_hierarchy(std::string_view input) {
  const auto store = make_store(parse_objects(input));
  has_metadata(*store);
  Hierarchy hierarchy;
  if (!succeeds([&] { hierarchy = read_hierarchy(*store); })) return;
  check_copy(hierarchy);
  Hierarchy other;
  if (succeeds([&] {
        other = convert_format(hierarchy, 5 - hierarchy.zarr_format);
      }))
    check_copy(other);
}

}  // namespace rechunk::fuzz
