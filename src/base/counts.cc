#include "rechunk/observer.h"

namespace rechunk {

Counts& Counts::operator+=(const Counts& other) {
  tasks += other.tasks;
  objects_read += other.objects_read;
  bytes_decoded += other.bytes_decoded;
  objects_written += other.objects_written;
  bytes_encoded += other.bytes_encoded;
  stored_bytes_read += other.stored_bytes_read;
  stored_bytes_written += other.stored_bytes_written;
  return *this;
}

StageReport& StageReport::operator+=(const StageReport& other) {
  counted += other.counted;
  skipped += other.skipped;
  return *this;
}

}  // namespace rechunk
