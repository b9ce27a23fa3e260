#include "base/retry.h"

#include <gtest/gtest.h>

namespace rechunk {
namespace {

Error io_error(bool retryable) {
  return Error(ErrorKind::kIo, "it broke").set_retryable(retryable);
}

TEST(Retrying, ReturnsWhatTheFirstSuccessReturns) {
  int calls = 0;
  const int result = retrying([&] {
    if (++calls < 3) throw io_error(true);
    return calls;
  });
  EXPECT_EQ(result, 3);
}

TEST(Retrying, GivesUpAfterAFewTries) {
  int calls = 0;
  EXPECT_THROW(retrying([&] {
                 ++calls;
                 throw io_error(true);
               }),
               Error);
  EXPECT_EQ(calls, 4);
}

TEST(Retrying, LeavesOtherErrorsAlone) {
  int calls = 0;
  EXPECT_THROW(retrying([&] {
                 ++calls;
                 throw io_error(false);
               }),
               Error);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace rechunk
