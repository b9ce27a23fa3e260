#include "base/memory_budget.h"

#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <utility>

#include "rechunk/error.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RECHUNK_HAS_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(RECHUNK_HAS_ASAN)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) \
  ((void)(memory), (void)(bytes))
#endif

namespace rechunk {
namespace {

// For smaller arenas, huge pages would take too much memory for the time that
// they save.
constexpr std::int64_t kHugePageBytes = 2 << 20;
constexpr std::int64_t kUseHugePagesFrom = 4 * kHugePageBytes;

std::byte* map_memory(std::int64_t bytes) {
  void* memory =
      mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Error(
        ErrorKind::kIo,
        "mapping " + std::to_string(bytes) + " bytes of memory: refused",
        "a smaller " + option("max_memory") + " may fit");
  if (bytes >= kUseHugePagesFrom)
    madvise(memory, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);
  return static_cast<std::byte*>(memory);
}

}  // namespace

Arena::Arena(MemoryBudget* budget, std::int64_t capacity)
    : budget_(budget), capacity_(capacity) {
  if (capacity_ <= 0) return;
  memory_ = map_memory(capacity_);
  ASAN_POISON_MEMORY_REGION(memory_, capacity_);
}

Arena::Arena(Arena&& other) noexcept { *this = std::move(other); }

Arena& Arena::operator=(Arena&& other) noexcept {
  if (this == &other) return *this;
  free();
  budget_ = std::exchange(other.budget_, nullptr);
  memory_ = std::exchange(other.memory_, nullptr);
  capacity_ = std::exchange(other.capacity_, 0);
  used_ = std::exchange(other.used_, 0);
  return *this;
}

Arena::~Arena() { free(); }

void Arena::free() {
  if (memory_) {
    ASAN_UNPOISON_MEMORY_REGION(memory_, capacity_);
    munmap(memory_, static_cast<std::size_t>(capacity_));
  }
  if (budget_) budget_->give_back(capacity_);
  budget_ = nullptr;
  memory_ = nullptr;
}

std::span<std::byte> Arena::take(std::int64_t bytes) {
  const std::int64_t left = capacity_ - used_;
  if (bytes < 0 || bytes > left || MemoryBudget::aligned(bytes) > left)
    throw Error(ErrorKind::kInternal, "a task wants " + std::to_string(bytes) +
                                          " bytes more than the " +
                                          std::to_string(capacity_) +
                                          " it reserved");
  std::byte* begin = memory_ + used_;
  used_ += MemoryBudget::aligned(bytes);
  ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
  return {begin, static_cast<std::size_t>(bytes)};
}

void Arena::release_to(std::int64_t mark) {
  ASAN_POISON_MEMORY_REGION(memory_ + mark, used_ - mark);
  used_ = mark;
}

MemoryBudget::MemoryBudget(std::int64_t limit_bytes) : limit_(limit_bytes) {}

Arena MemoryBudget::acquire(std::int64_t bytes) {
  check(bytes);
  {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return reserved_ + bytes <= limit_; });
    reserve(bytes);
  }
  // The bytes are reserved, so mapping needs no lock.
  return map(bytes);
}

std::optional<Arena> MemoryBudget::try_acquire(std::int64_t bytes) {
  check(bytes);
  {
    std::lock_guard lock(mutex_);
    if (reserved_ + bytes > limit_) return std::nullopt;
    reserve(bytes);
  }
  return map(bytes);
}

void MemoryBudget::check(std::int64_t bytes) const {
  if (bytes > limit_)
    throw Error(ErrorKind::kBudgetExceeded,
                "reserving " + std::to_string(bytes) +
                    " bytes: the budget is " + std::to_string(limit_));
}

void MemoryBudget::reserve(std::int64_t bytes) {
  reserved_ += bytes;
  peak_ = std::max(peak_, reserved_);
}

Arena MemoryBudget::map(std::int64_t bytes) {
  try {
    return Arena(this, bytes);
  } catch (...) {
    give_back(bytes);
    throw;
  }
}

std::int64_t MemoryBudget::peak() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

void MemoryBudget::give_back(std::int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    reserved_ -= bytes;
  }
  freed_.notify_all();
}

}  // namespace rechunk
