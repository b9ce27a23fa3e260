// A small job in memory, for the tests of executors.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>

#include "rechunk/rechunk.h"

namespace rechunk::testing {

constexpr int kLength = 48;

/// Random 16-bit elements, one map of 48 x 48 per chunk.
inline std::shared_ptr<Store> make_source() {
  const auto store = make_memory_store();
  write_text(*store, "zarr.json", R"({
    "zarr_format": 3, "node_type": "array", "shape": [48, 48, 48],
    "data_type": "uint16", "fill_value": 0, "attributes": {},
    "chunk_grid": {"name": "regular",
                   "configuration": {"chunk_shape": [1, 48, 48]}},
    "chunk_key_encoding": {"name": "default"},
    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]})");
  std::mt19937 random(7);
  for (int chunk = 0; chunk < kLength; ++chunk) {
    std::string bytes(2 * kLength * kLength, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    write_text(*store, "c/" + std::to_string(chunk) + "/0/0", bytes);
  }
  return store;
}

inline Stores make_stores() {
  return {.source = make_source(),
          .target = make_memory_store(),
          .temp = make_memory_store(),
          .journal = make_memory_store()};
}

/// In two stages.
inline Options staged_options() {
  Options options;
  options.chunks = "48,5,5";
  options.max_memory = 60'000;
  options.threads = 2;
  options.verify = true;
  return options;
}

inline Job make_job(const Stores& stores) {
  return Job("", "", staged_options(), stores);
}

/// All objects of a store.
inline std::map<std::string, std::string> objects_in(const Store& store) {
  std::map<std::string, std::string> objects;
  store.list("", [&](std::string_view key, std::int64_t) {
    objects.emplace(key, read_text(store, key).value());
  });
  return objects;
}

/// What the library's own schedule makes of the job.
inline std::map<std::string, std::string> expected_target() {
  const Stores stores = make_stores();
  make_job(stores).run();
  return objects_in(*stores.target);
}

}  // namespace rechunk::testing
