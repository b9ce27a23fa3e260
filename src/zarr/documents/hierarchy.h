// Groups and arrays of a Zarr hierarchy: finding them in a store and writing
// their metadata in an order that never shows an unfinished array.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "rechunk/store.h"
#include "zarr/documents/convert.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

struct GroupMetadata {
  int zarr_format = 3;
  std::optional<std::string> attributes;  ///< Verbatim JSON object.
  std::vector<std::pair<std::string, std::string>> extra;  ///< Verbatim.
  bool consolidated = false;  ///< An inner group that had it of its own.
};

/// An array of a group with valid documents, from which rechunk cannot find its
/// chunks: it has an unknown grid, or is an early draft. All objects below it
/// belong to it.
struct UnreadArray {
  std::string cause;
  /// (file name, text), verbatim.
  std::vector<std::pair<std::string, std::string>> documents;
};

/// A root array, or a group with everything below it.
struct Hierarchy {
  bool root_is_array = false;
  bool consolidated = false;  ///< The root had consolidated metadata.
  int zarr_format = 3;
  std::map<std::string, GroupMetadata> groups;  ///< By path; "" is the root.
  std::map<std::string, ArrayMetadata> arrays;  ///< By path; "" a root array.
  std::map<std::string, UnreadArray> unread;    ///< By path.
  /// Of the documents of arrays that were read (text_hash), by path.
  std::map<std::string, std::string> document_hashes;
};

/// Reads the hierarchy whose root is the store's root, from the nodes' own
/// documents (consolidated metadata is never trusted); v3 wins where both
/// formats are present. Groups without documents (v2) are implied.
/// Throws: not_found (neither array nor group; the message says what is
/// there instead), corrupt (also names that are not UTF-8, and more than
/// 256 MiB of metadata), unsupported (the root; with its path).
Hierarchy read_hierarchy(const Store& store);

/// All nodes in the other format. Throws: unsupported (names array and cause;
/// also if the hierarchy has an unread array).
Hierarchy convert_format(const Hierarchy& source, int zarr_format);

/// Writes all documents: arrays first (attributes before .zarray), then
/// sub-groups, deepest first, the root last. If `consolidated` is set for the
/// root or a group, writes consolidated metadata, rebuilt from these documents.
/// v3 puts it into the group's zarr.json, v2 into .zmetadata.
void write_hierarchy(Store& store, const Hierarchy& hierarchy);

/// Rebuilds the consolidated metadata of a group at the store's root from the
/// documents below it; does nothing if there is none. Several processes may do
/// so at a time: no old state is published last. (In consolidate.cc.)
void consolidate_again(Store& store);
/// True if there is some at the store's root.
bool has_consolidated(const Store& store);

/// Removes the metadata documents below the root (root first), so that the
/// hierarchy can no longer be opened. Then, if `everything`, removes all other
/// objects. Objects below `spared_prefix` stay, if it is given.
/// (Both in write_hierarchy.cc.)
void erase_hierarchy(Store& store, bool everything,
                     std::string_view spared_prefix = {});

/// True for keys below an unread array.
bool is_inside_unread(const Hierarchy& hierarchy, std::string_view key);

/// True if the last part of a key is the name of a metadata document.
bool is_document(std::string_view key);

/// Which documents of a node the store's root has.
struct NodeDocuments {
  bool zarr_json = false, zarray = false, zgroup = false;
  bool any() const { return zarr_json || zarray || zgroup; }
};
NodeDocuments node_documents(const Store& store);

/// True if the store's root holds a Zarr array or group, finished or not
/// readable.
bool has_metadata(const Store& store);

}  // namespace rechunk
