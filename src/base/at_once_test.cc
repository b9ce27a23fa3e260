#include "base/at_once.h"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <string>

namespace rechunk {
namespace {

TEST(AtOnce, ActionsThatWaitRunTogether) {
  std::latch all(3);  // Each waits for the others.
  const auto meet = [&] { all.arrive_and_wait(); };
  at_once(true, {meet, meet, meet});
  at_once(true, {});
}

TEST(AtOnce, OtherActionsRunInTurn) {
  std::string order;
  at_once(false, {[&] { order += "a"; }, [&] { order += "b"; }});
  EXPECT_EQ(order, "ab");
}

TEST(AtOnce, ThrowsTheFirstErrorWhenAllHaveEnded) {
  for (const bool waits : {true, false}) {
    std::latch ended(1);
    bool others = false;
    const auto second = [&] {
      others = true;
      throw std::runtime_error("second");
    };
    try {
      at_once(waits, {[&] {
                        if (waits) ended.wait();
                        throw std::runtime_error("first");
                      },
                      second, [&] { ended.count_down(); }});
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "first");
    }
    EXPECT_EQ(others, waits);
  }
}

}  // namespace
}  // namespace rechunk
