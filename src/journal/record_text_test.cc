#include "journal/record_text.h"

#include <gtest/gtest.h>

#include <string>

namespace rechunk {
namespace {

constexpr const char* kPlanHash = "0123456789abcdef";

std::string record() {
  BatchRecord one{{3, 1, 5, 9}, {}, true};
  one.result.report.counted = {4, 5, 6, 7, 8, 9, 10};
  one.result.report.written = {2, ~std::uint64_t{0}, 1};
  one.result.digest.lanes[1] = ~std::uint64_t{0};
  return format_record(kPlanHash, {one, {{0, 0, 0, 1}, {}, false}});
}

TEST(RecordText, IsReadAsItWasWritten) {
  const auto batches = parse_record(record(), kPlanHash);
  ASSERT_TRUE(batches);
  ASSERT_EQ(batches->size(), 2U);
  EXPECT_EQ(batches->at(0).tasks, (TaskRange{3, 1, 5, 9}));
  EXPECT_EQ(batches->at(0).result.report.counted.stored_bytes_written, 10);
  EXPECT_EQ(format_record(kPlanHash, *batches), record());
  EXPECT_FALSE(parse_record(record(), "of another plan"));
}

TEST(RecordText, ThatIsTornOrChangedInAnyByteIsNone) {
  const std::string whole = record();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    EXPECT_FALSE(parse_record(whole.substr(0, at), kPlanHash)) << at;
    for (const char flip : {1, 0x20, -128}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      EXPECT_FALSE(parse_record(changed, kPlanHash)) << changed;
    }
    std::string hole = whole;
    hole.replace(at, std::string::npos, whole.size() - at, '\0');
    EXPECT_FALSE(parse_record(hole, kPlanHash)) << at;
  }
  EXPECT_FALSE(parse_record(whole + whole, kPlanHash));
}

}  // namespace
}  // namespace rechunk
