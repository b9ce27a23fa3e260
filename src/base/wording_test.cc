#include "rechunk/wording.h"

#include <gtest/gtest.h>

#include "rechunk/error.h"
#include "rechunk/notes.h"

namespace rechunk {
namespace {

std::string loudly(const Mention& mention) {
  return "<" + mention.name + "|" + mention.value + ">";
}

TEST(Wording, ACallerSpellsWhatTextsName) {
  const std::string text = option("max_memory", "2GiB") + " or " +
                           option_on("overwrite") + ", " +
                           action("resume", "/a b") + ": " +
                           forms("chunks", "2,3") + "; " + option("temp");
  EXPECT_EQ(spelled(text),
            "max_memory 2GiB or overwrite, `resume /a b`: 2,3; temp");
  EXPECT_EQ(spelled(text, loudly),
            "<max_memory|2GiB> or <overwrite|true>, <resume|/a b>: "
            "<chunks|2,3>; <temp|>");
  EXPECT_EQ(spelled(text, with_marks), text);
  EXPECT_EQ(first_option(text), "max_memory");
  EXPECT_EQ(first_option(action("resume")), "");
}

// Names of files and dimensions may hold any character.
TEST(Wording, StrangeNamesStayAsTheyAre) {
  for (const std::string name : {"\x02", "\x03", "\x02\x03", "\x02o\x03",
                                 "\x02x\x1f\x03", "\x1f", "a\x02\x02o", ""})
    EXPECT_EQ(spelled(name, loudly), name);
  const std::string name = "\x02o" + option("temp") + "\x03";
  EXPECT_EQ(spelled(name, loudly), "\x02o<temp|>\x03");
  EXPECT_EQ(spelled(option("region", "\x02x\x03=0:1")), "region ?x?=0:1");
}

TEST(Wording, ErrorsKeepTheOptionsThatTheyName) {
  const Error error = Error(ErrorKind::kBudgetExceeded, "planning: too little",
                            option("max_memory", "2GiB") + " would do")
                          .set_retryable(true)
                          .with_context("array t");
  EXPECT_STREQ(error.what(), "array t: planning: too little");
  EXPECT_EQ(error.hint(), "max_memory 2GiB would do");
  EXPECT_EQ(error.option(), "max_memory");
  const Error shown = error.spelled(loudly);
  EXPECT_STREQ(shown.what(), error.what());
  EXPECT_EQ(shown.hint(), "<max_memory|2GiB> would do");
  EXPECT_TRUE(shown.retryable());
  const Error other = error.with_hint("and " + error.marked_hint());
  EXPECT_EQ(other.spelled(loudly).hint(), "and <max_memory|2GiB> would do");
  const Error wrong(ErrorKind::kInvalidArgument, option("shards") + ": odd",
                    option("codec") + " helps");
  EXPECT_EQ(wrong.option(), "shards");
  EXPECT_EQ(Error(ErrorKind::kIo, "no disk").option(), "");
  const Error once = wrong.with_context(option("shards"));
  EXPECT_STREQ(once.what(), wrong.what());
}

TEST(Wording, LinesOfNotesKeepTheOptionsThatTheyName) {
  Notes notes;
  notes.add("kind", "a", option_on("strict") + " refuses");
  EXPECT_EQ(spelled(to_lines(notes)[0], loudly),
            "note: <strict|true> refuses: a");
}

}  // namespace
}  // namespace rechunk
