#include "exec/pulse.h"

#include "rechunk/error.h"

namespace rechunk {

void Pulse::Task::beat(std::int64_t bytes) {
  if (!pulse_) return;
  if (pulse_->stop_.stop_requested())
    throw Error(ErrorKind::kCancelled, "stopped on request");
  bytes_ += bytes;
  pulse_->bytes_ += bytes;
  if (pulse_->listen_) pulse_->listen_();
}

void PulseSink::put(const Region& part, const std::byte* data,
                    const Shape& strides) {
  next_.put(part, data, strides);
  task_.beat(element_count(part) * item_bytes_);
}

void PulseSink::put_fill(const Region& part,
                         std::span<const std::byte> element) {
  next_.put_fill(part, element);
  task_.beat(element_count(part) * item_bytes_);
}

}  // namespace rechunk
