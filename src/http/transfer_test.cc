#include "http/transfer.h"

#include <gtest/gtest.h>

#include "http/pace.h"

namespace rechunk::http {
namespace {

TEST(ContentRange, SaysWhichPartOfHowMuch) {
  const auto part = parse_content_range("bytes 5-9/100");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->first, 5);
  EXPECT_EQ(part->last, 9);
  EXPECT_EQ(part->total, 100);
  EXPECT_EQ(parse_content_range("bytes 5-9/*")->total, -1);
  EXPECT_EQ(parse_content_range("bytes */7")->first, -1);
  EXPECT_EQ(parse_content_range("bytes */7")->total, 7);
}

TEST(ContentRange, RefusesWhatMakesNoSense) {
  for (const char* text :
       {"", "bytes", "bytes ", "bytes 5-9", "bytes 9-5/100", "bytes 5-100/100",
        "bytes -5/100", "bytes 5-/100", "bytes 5-9/-100", "items 5-9/100",
        "bytes 5-9/99999999999999999999", "bytes +5-9/100", "bytes 5-9/100 "})
    EXPECT_FALSE(parse_content_range(text)) << text;
}

Transfer after(int attempts, std::string retry_after = {}) {
  Transfer transfer;
  transfer.since = Clock::now();
  transfer.answer.attempts = attempts;
  if (!retry_after.empty())
    transfer.answer.headers = {{"retry-after", retry_after}};
  return transfer;
}

double pause_of(const Transfer& transfer, int limit = 120) {
  const auto pause =
      pause_before_retry(transfer, std::chrono::seconds(limit), transfer.since);
  return pause ? std::chrono::duration<double>(*pause).count() : -1;
}

TEST(Pause, DoublesIsRandomAndEnds) {
  for (int attempt = 1; attempt <= 8; ++attempt) {
    const double longest = 0.1 * (1 << (attempt - 1));
    const double pause = pause_of(after(attempt));
    EXPECT_GE(pause, longest / 2);
    EXPECT_LE(pause, longest);
  }
  EXPECT_LE(pause_of(after(60)), 20);
  EXPECT_EQ(pause_of(after(9), 5), -1);  // More than 10 s in 5 s.
}

TEST(Pause, ObeysTheServer) {
  EXPECT_GE(pause_of(after(1, "7")), 7);
  EXPECT_LE(pause_of(after(1, "7000")), 60);
  EXPECT_EQ(pause_of(after(1, "30"), 20), -1);
  EXPECT_LE(pause_of(after(1, "soon")), 0.1);
}

TEST(Pause, WaitsLessIfNobodyAnswers) {
  Transfer transfer = after(9);
  transfer.answer.is_unreachable = true;
  EXPECT_EQ(pause_of(transfer), -1);
}

TEST(Pace, FallsByHalfAtMostOnceASecondAndRises) {
  Pace pace(64);
  const auto start = Clock::now();
  for (int answer = 0; answer < 5; ++answer) pace.was_throttled(start);
  EXPECT_EQ(pace.requests(), 32);
  for (int second = 1; second < 20; ++second)
    pace.was_throttled(start + std::chrono::seconds(2 * second));
  EXPECT_EQ(pace.requests(), 1);
  for (int answer = 0; answer < 5000; ++answer) pace.went_well();
  EXPECT_EQ(pace.requests(), 64);
}

}  // namespace
}  // namespace rechunk::http
