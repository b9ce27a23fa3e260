// Documents of small arrays, for tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rechunk/error.h"
#include "zarr/documents/metadata.h"

namespace rechunk {

inline constexpr const char* kBlosc =
    R"({"id":"blosc","cname":"lz4","clevel":5,"shuffle":1,"blocksize":0})";

inline ArrayMetadata v2_array(
    const char* dtype, const char* fill, const char* order,
    const char* compressor, const std::optional<std::string>& attributes = {}) {
  return parse_array_v2(
      fmt::format(R"({{"zarr_format":2,"shape":[7,5],"chunks":[3,4],)"
                  R"("dtype":{},"fill_value":{},"order":"{}","filters":null,)"
                  R"("compressor":{},"mine":1}})",
                  dtype, fill, order, compressor),
      attributes);
}

inline ArrayMetadata v3_array(const char* codecs,
                              const char* type = "\"float32\"",
                              const char* fill = "0.0", const char* more = "") {
  return parse_array_v3(fmt::format(
      R"({{"zarr_format":3,"node_type":"array","shape":[12,12],)"
      R"("data_type":{},"chunk_grid":{{"name":"regular","configuration":)"
      R"({{"chunk_shape":[12,6]}}}},"chunk_key_encoding":{{"name":"default"}},)"
      R"("fill_value":{},"codecs":{}{}}})",
      type, fill, codecs, more));
}

inline std::string sharding(const char* chunk_shape, const std::string& codecs,
                            const char* more = "") {
  return fmt::format(R"({{"name":"sharding_indexed","configuration":)"
                     R"({{"chunk_shape":{},"codecs":[{}]{}}}}})",
                     chunk_shape, codecs, more);
}

inline constexpr const char* kLittle =
    R"({"name":"bytes","configuration":{"endian":"little"}})";
inline constexpr const char* kZstd =
    R"({"name":"zstd","configuration":{"level":3}})";

inline nlohmann::json document(const ArrayMetadata& metadata) {
  return nlohmann::json::parse(format_array(metadata).back().second);
}

template <class Action>
std::string error_of(Action&& action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace rechunk
