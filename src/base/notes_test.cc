#include "rechunk/notes.h"

#include <gtest/gtest.h>

namespace rechunk {
namespace {

TEST(Notes, ArraysWithTheSameNoteShareALine) {
  Notes notes;
  EXPECT_TRUE(notes.empty());
  notes.add("fill_value", "a", "its mask is lost");
  notes.add("fill_value", "b/c", "its mask is lost");
  notes.add("fill_value", "a", "its mask is lost");
  notes.add("ome", "", "the attributes are those of OME-Zarr 0.4");
  EXPECT_FALSE(notes.empty());
  EXPECT_EQ(to_lines(notes),
            (std::vector<std::string>{
                "note: its mask is lost: a, b/c",
                "note: the attributes are those of OME-Zarr 0.4"}));
}

TEST(Notes, ArraysThatWereNotRechunkedAreListedByCause) {
  Notes notes;
  for (int i = 0; i < 10; ++i)
    notes.not_rechunked.push_back({"t" + std::to_string(i), "strings"});
  notes.not_rechunked.push_back({"", "numcodecs.shuffle"});
  EXPECT_EQ(to_lines(notes),
            (std::vector<std::string>{
                "not rechunked: the array (numcodecs.shuffle)",
                "not rechunked: t0, t1, t2, t3, t4, t5, t6, t7 and 2 more "
                "(strings)"}));
}

TEST(Notes, AddingOthersKeepsWhatIsTheSameTogether) {
  Notes notes, others;
  notes.add("kind", "a", "text");
  others.add("kind", "b", "text");
  others.add("kind", "", "of all");
  others.not_rechunked.push_back({"x", "cause"});
  notes.add(others);
  ASSERT_EQ(notes.notes.size(), 2u);
  EXPECT_EQ(notes.notes[0].arrays, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(notes.notes[1].arrays.empty());
  EXPECT_EQ(notes.not_rechunked.size(), 1u);
}

}  // namespace
}  // namespace rechunk
