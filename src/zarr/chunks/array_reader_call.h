// What the parts of ArrayReader share: its calls, and checks of what came.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "rechunk/error.h"
#include "zarr/chunks/array_reader.h"
#include "zarr/chunks/object_marks.h"

namespace rechunk {

struct ArrayReader::Call {
  const Region& region;
  RegionSink& sink;
  Arena& arena;
  StageReport& report;
  bool sink_holds_encoded = false;

  // Counts the object that a request has asked for; false if it is missing.
  bool count_object(const ReadRequest& request) {
    note_source(report, request);
    if (!request.found) {
      report.skipped.objects_read += 1;
      return false;
    }
    report.counted.objects_read += 1;
    report.counted.stored_bytes_read += request.bytes_read;
    return true;
  }
};

struct ArrayReader::Piece {
  Region chunk;
  std::string key;
  std::int64_t offset = 0;  // In the object.
  std::int64_t bytes = -1;  // Encoded size; negative: the whole object.
};

struct ArrayReader::Box {
  const std::string& key;
  std::size_t level;
  Region region;        // Its elements, clipped to the array.
  std::int64_t offset;  // First byte in the object.
  std::int64_t bytes;   // Encoded size.
  ShardIndex& index;
};

[[noreturn]] inline void throw_changed(const std::string& how) {
  throw Error(ErrorKind::kIo, "it changed while it was read: " + how)
      .set_retryable(true);
}

// Memory that a read did not fill holds old bytes, so each read is checked.
inline void check_complete(const ReadRequest& request, std::int64_t bytes) {
  if (request.bytes_read == bytes) return;
  throw_changed(
      fmt::format("only {} of {} bytes came", request.bytes_read, bytes));
}

}  // namespace rechunk
