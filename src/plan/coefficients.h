// Every coefficient of the cost model (cost.h), in one place. Costs are in
// nanoseconds of one thread. They are estimates: `calibrate` (measure/) puts
// what it measures into the traits instead. What codecs cost stands with the
// codecs.
#pragma once

#include <cstdint>

namespace rechunk {

/// The cost of using a store. The defaults are for a local disk with a page
/// cache.
struct MediumTraits {
  double request_ns = 6000;  ///< Opening an object, or a remote request.
  double run_ns = 1200;      ///< One more range of an open object.
  double read_ns_per_byte = 0.1;
  double write_ns_per_byte = 0.5;
  double object_ns = 30000;  ///< Making an object.
  double latency_ns = 0;     ///< Of each request; those in flight share it.
  int requests = 1;          ///< That it serves a task at a time.
  std::int64_t writer_bytes = 0;  ///< Memory of an open writer.
  bool copies = false;  ///< Requests in flight need their memory twice.
  /// Of a disk, if the page cache is full: wall-clock time per byte, however
  /// many threads, while it reads and writes at the same time. 0: no disk.
  double disk_read_ns_per_byte = 0, disk_write_ns_per_byte = 0;
};

/// A disk that was not measured: 250 MB/s.
inline constexpr double kDiskNsPerByte = 4;

/// Intermediates that take a larger part of the page cache reach the disk: the
/// kernel writes out what takes a tenth of the memory, and lets writers wait if
/// it is a fifth.
inline constexpr double kCachedShare = 0.25;

/// An array-like: a call into Python for each chunk, and making its elements,
/// by decoding or computing. So it is read once if that is possible.
inline constexpr double kArraySourceRequestNs = 100'000;
inline constexpr double kArraySourceNsPerByte = 5;

/// The light codec of intermediates.
inline constexpr double kLightEncodeNsPerByte = 0.5;
inline constexpr double kLightDecodeNsPerByte = 0.22;
inline constexpr double kLightStoredRatio = 0.4;
inline constexpr double kPieceNs = 100;  ///< One piece of a packed object.

/// Copying in memory: bytes, and runs of neighbouring elements.
inline constexpr double kCopyNsPerByte = 0.1;
inline constexpr double kCopyNsPerRun = 3;

/// A byte of a task's memory. Measured when tasks grew from 30 to 100 MB: 0.8
/// to 2.7.
inline constexpr double kMemoryNsPerByte = 0.8;

/// One batch of runs, as `raw_parts` (zarr/chunks/) reads them.
inline constexpr double kRawBatchBytes = 1 << 20;

/// An intermediate takes room on a disk: more threads must save this share of
/// the time to be worth one.
inline constexpr double kWorthIntermediates = 0.1;

}  // namespace rechunk
