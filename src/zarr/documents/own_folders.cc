#include "zarr/documents/own_folders.h"

namespace rechunk {
namespace {

bool is_own_folder(std::string_view name) {
  return name.starts_with('.') && name.find(".rechunk") != name.npos;
}

}  // namespace

bool lies_in_own_folder(std::string_view key) {
  for (std::size_t slash = key.find('/'); slash != std::string_view::npos;
       slash = key.find('/')) {
    if (is_own_folder(key.substr(0, slash))) return true;
    key.remove_prefix(slash + 1);
  }
  return false;
}

}  // namespace rechunk
