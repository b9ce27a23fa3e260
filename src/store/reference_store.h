// A file of kerchunk's references as a store that is read: each object is a
// part of another file, or stands in the references themselves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// Reads the references under a key of `outer`; they stay in memory
/// (reference_table.h). `file` is their URL or path; reference_places.h says
/// what they may name, for which `below` and `options` are.
/// Throws: as ReferenceTable and ReferencePlaces.
std::shared_ptr<Store> make_reference_store(
    const Store& outer, const std::string& key, const std::string& file,
    const std::vector<std::string>& below, const StorageOptions& options);

}  // namespace rechunk
