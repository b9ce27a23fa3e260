#include "rechunk/observer.h"

#include "rechunk/shape.h"

namespace rechunk {

// Some counts come from records in files, which may hold any numbers.
Counts& Counts::operator+=(const Counts& other) {
  tasks = checked_add(tasks, other.tasks);
  objects_read = checked_add(objects_read, other.objects_read);
  bytes_decoded = checked_add(bytes_decoded, other.bytes_decoded);
  objects_written = checked_add(objects_written, other.objects_written);
  bytes_encoded = checked_add(bytes_encoded, other.bytes_encoded);
  stored_bytes_read = checked_add(stored_bytes_read, other.stored_bytes_read);
  stored_bytes_written =
      checked_add(stored_bytes_written, other.stored_bytes_written);
  return *this;
}

ObjectSums& ObjectSums::operator+=(const ObjectSums& other) {
  objects = checked_add(objects, other.objects);
  marks += other.marks;
  contents += other.contents;
  return *this;
}

StageReport& StageReport::operator+=(const StageReport& other) {
  counted += other.counted;
  skipped += other.skipped;
  read += other.read;
  written += other.written;
  source_marks.insert(source_marks.end(), other.source_marks.begin(),
                      other.source_marks.end());
  return *this;
}

std::int64_t StageReport::bytes() const {
  Counts all = counted;
  all += skipped;
  return checked_add(all.bytes_decoded, all.bytes_encoded);
}

}  // namespace rechunk
