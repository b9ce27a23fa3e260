// A store that fails on purpose: it wraps another one and, at the n-th call of
// a run, does something wrong. For tests.
//
//   FaultScript script({.at = 17, .fault = Fault::kFail}, seed);
//   stores.target = with_faults(stores.target, "target", script);
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"

namespace rechunk::faults {

enum class Call {
  kRead,
  kOpen,
  kAppend,
  kCommit,
  kCreate,
  kErase,
  kList,
};
inline constexpr int kCalls = 7;

enum class Fault {
  kNone,
  kFail,       ///< Nothing is done; the error says that trying again is vain.
  kInterrupt,  ///< Nothing is done; the same call may succeed later.
  kForget,  ///< It is done, but the answer is lost: the caller sees an error.
  kDelay,   ///< It is done late.
  kRepeat,  ///< It is done twice, as by a client that tries again.
  // The store lies: it does not do what it says.
  kTruncate,  ///< Half of the bytes, or of the listing.
  kCorrupt,   ///< One bit of what is read or written is another.
  kLose,      ///< What was asked for is not done, or what is there not found.
};
inline constexpr int kFaults = 9;

std::string_view to_string(Call call);
std::string_view to_string(Fault fault);

/// False where a fault has no meaning for a call.
bool applies(Fault fault, Call call);
/// True for faults that the caller cannot see from the store's answer.
bool is_lie(Fault fault);

/// What goes wrong, and when: at the first call from `at` on to which the fault
/// applies. Calls are counted from 0, over all stores.
struct Injection {
  std::int64_t at = -1;  ///< -1: never.
  Fault fault = Fault::kNone;
  bool lasting = false;  ///< And at all that follow.
};

/// Counts the calls of all stores of one run. May be used by many threads.
class FaultScript {
 public:
  struct Seen {
    std::string place;
    Call call;
    std::string key;
  };

  explicit FaultScript(const Injection& injection, std::uint64_t seed = 0)
      : injection_(injection), random_(seed) {}

  /// Notes one call; what is to go wrong with it.
  Fault next(const std::string& place, Call call, std::string_view key);
  /// A number in [0, end), end >= 1.
  std::int64_t random(std::int64_t end);

  /// Calls so far, in their order.
  const std::vector<Seen>& seen() const { return seen_; }
  /// The calls that went wrong.
  const std::vector<Seen>& hits() const { return hits_; }

 private:
  const Injection injection_;
  std::mutex mutex_;
  std::mt19937_64 random_;
  std::vector<Seen> seen_;
  std::vector<Seen> hits_;
};

/// `place` names the store in messages and in the script, which must outlive
/// it.
std::shared_ptr<Store> with_faults(std::shared_ptr<Store> store,
                                   std::string place, FaultScript& script);

}  // namespace rechunk::faults
