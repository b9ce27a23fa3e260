#include "fault_store.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "rechunk/error.h"

namespace rechunk::faults {
namespace {

constexpr auto kDelay = std::chrono::milliseconds(5);

constexpr std::string_view kCallNames[kCalls] = {
    "read", "open", "append", "commit", "create", "erase", "list"};
constexpr std::string_view kFaultNames[kFaults] = {
    "none",   "fail",     "interrupt", "forget", "delay",
    "repeat", "truncate", "corrupt",   "lose"};

// What stands in memory that a read did not fill.
void scramble(const ReadRequest& request, std::int64_t from) {
  for (const auto& part : request.destination) {
    const auto bytes = static_cast<std::int64_t>(part.size());
    if (from < bytes)
      std::fill(part.begin() + std::max<std::int64_t>(0, from), part.end(),
                std::byte{0xdb});
    from -= bytes;
  }
}

void flip_bit(const ReadRequest& request, FaultScript& script) {
  if (request.bytes_read == 0) return;
  std::int64_t at = script.random(request.bytes_read);
  for (const auto& part : request.destination) {
    const auto bytes = static_cast<std::int64_t>(part.size());
    if (at < bytes) {
      part[static_cast<std::size_t>(at)] ^=
          static_cast<std::byte>(1 << script.random(8));
      return;
    }
    at -= bytes;
  }
}

// Fails before or after `action`, or does it late; the faults that mean the
// same for every call.
template <class Action>
void carry_out(Fault fault, const std::string& what, Action&& action) {
  const auto fail = [&](bool retryable) {
    throw Error(ErrorKind::kIo, what + ": injected fault")
        .set_retryable(retryable);
  };
  if (fault == Fault::kFail || fault == Fault::kInterrupt)
    fail(fault == Fault::kInterrupt);
  if (fault == Fault::kDelay) std::this_thread::sleep_for(kDelay);
  action();
  if (fault == Fault::kRepeat) action();
  if (fault == Fault::kForget) fail(true);
}

class FaultyWriter final : public ObjectWriter {
 public:
  FaultyWriter(std::unique_ptr<ObjectWriter> writer, std::string place,
               std::string key, std::string what, FaultScript& script)
      : writer_(std::move(writer)),
        place_(std::move(place)),
        key_(std::move(key)),
        what_(std::move(what)),
        script_(script) {}

  void append(std::span<const std::byte> bytes) override {
    const Fault fault = script_.next(place_, Call::kAppend, key_);
    std::vector<std::byte> wrong;
    if (fault == Fault::kTruncate) bytes = bytes.first(bytes.size() / 2);
    if (fault == Fault::kLose) bytes = {};
    if (fault == Fault::kCorrupt && !bytes.empty()) {
      wrong.assign(bytes.begin(), bytes.end());
      const auto end = static_cast<std::int64_t>(bytes.size());
      wrong[static_cast<std::size_t>(script_.random(end))] ^=
          static_cast<std::byte>(1 << script_.random(8));
      bytes = wrong;
    }
    carry_out(fault, what_, [&] { writer_->append(bytes); });
  }

  void commit(std::span<const std::byte> header) override {
    const Fault fault = script_.next(place_, Call::kCommit, key_);
    if (fault == Fault::kLose) return writer_.reset();
    carry_out(fault, what_, [&] { writer_->commit(header); });
  }

 private:
  std::unique_ptr<ObjectWriter> writer_;
  const std::string place_, key_, what_;
  FaultScript& script_;
};

class FaultyStore final : public Store {
 public:
  FaultyStore(std::shared_ptr<Store> store, std::string place,
              FaultScript& script)
      : store_(std::move(store)), place_(std::move(place)), script_(script) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    read_in_turn(requests, on_done, [&](ReadRequest& request) {
      const Fault fault = script_.next(place_, Call::kRead, request.key);
      carry_out(fault, "reading " + describe(request.key),
                [&] { store_->read_one(request); });
      if (!request.found) return;
      if (fault == Fault::kCorrupt) flip_bit(request, script_);
      if (fault == Fault::kTruncate) request.bytes_read /= 2;
      if (fault == Fault::kLose) request.found = false;
      if (fault == Fault::kTruncate || fault == Fault::kLose)
        scramble(request, request.found ? request.bytes_read : 0);
    });
  }

  std::unique_ptr<ObjectWriter> open_writer(
      std::string_view key, std::int64_t header_bytes) override {
    const Fault fault = script_.next(place_, Call::kOpen, key);
    const std::string what = "writing " + describe(key);
    std::unique_ptr<ObjectWriter> writer;
    carry_out(fault, what,
              [&] { writer = store_->open_writer(key, header_bytes); });
    return std::make_unique<FaultyWriter>(std::move(writer), place_,
                                          std::string(key), what, script_);
  }

  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    const Fault fault = script_.next(place_, Call::kCreate, key);
    if (fault == Fault::kLose) return true;
    bool created = false;
    carry_out(fault, "creating " + describe(key),
              [&] { created = store_->create_if_absent(key, bytes); });
    return created;
  }

  bool erase(std::string_view key) override {
    const Fault fault = script_.next(place_, Call::kErase, key);
    if (fault == Fault::kLose) return true;
    bool erased = false;
    carry_out(fault, "removing " + describe(key),
              [&] { erased = store_->erase(key); });
    return erased;
  }

  void scan(std::string_view prefix, const VisitListed& visit) const override {
    const Fault fault = script_.next(place_, Call::kList, prefix);
    std::vector<std::pair<std::string, std::int64_t>> found;
    carry_out(fault, "listing " + describe(prefix), [&] {
      store_->list(prefix, [&](std::string_view key, std::int64_t bytes) {
        found.emplace_back(key, bytes);
      });
    });
    if (fault == Fault::kTruncate) found.resize(found.size() / 2);
    if (fault == Fault::kLose) found.clear();
    for (const auto& [key, bytes] : found)
      if (!visit(key, bytes)) return;
  }

  std::string describe(std::string_view key) const override {
    return place_ + ":" + std::string(key);
  }

 private:
  const std::shared_ptr<Store> store_;
  const std::string place_;
  FaultScript& script_;
};

}  // namespace

std::string_view to_string(Call call) {
  return kCallNames[static_cast<int>(call)];
}

std::string_view to_string(Fault fault) {
  return kFaultNames[static_cast<int>(fault)];
}

bool applies(Fault fault, Call call) {
  const bool transfers = call == Call::kRead || call == Call::kAppend;
  switch (fault) {
    case Fault::kNone:
      return false;
    case Fault::kFail:
    case Fault::kInterrupt:
    case Fault::kDelay:
      return true;
    case Fault::kForget:
      return call != Call::kRead && call != Call::kList;
    case Fault::kRepeat:
      // A writer that repeats an append or a commit is a broken one.
      return call != Call::kAppend && call != Call::kCommit;
    case Fault::kTruncate:
      return transfers || call == Call::kList;
    case Fault::kCorrupt:
      return transfers;
    case Fault::kLose:
      return call != Call::kOpen;
  }
  return false;
}

bool is_lie(Fault fault) {
  return fault == Fault::kTruncate || fault == Fault::kCorrupt ||
         fault == Fault::kLose;
}

Fault FaultScript::next(const std::string& place, Call call,
                        std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto number = static_cast<std::int64_t>(seen_.size());
  seen_.push_back({place, call, std::string(key)});
  if (injection_.at < 0 || number < injection_.at ||
      !applies(injection_.fault, call) ||
      (!hits_.empty() && !injection_.lasting))
    return Fault::kNone;
  hits_.push_back(seen_.back());
  return injection_.fault;
}

std::int64_t FaultScript::random(std::int64_t end) {
  const std::lock_guard lock(mutex_);
  return std::uniform_int_distribution<std::int64_t>(0, end - 1)(random_);
}

std::shared_ptr<Store> with_faults(std::shared_ptr<Store> store,
                                   std::string place, FaultScript& script) {
  return std::make_shared<FaultyStore>(std::move(store), std::move(place),
                                       script);
}

}  // namespace rechunk::faults
