#include "store/folder_exchange.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/folder_testing.h"
#include "rechunk/error.h"
#include "store/carry_over.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

class Folders : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_ / "new"); }

  FolderExchange folders() const {
    return {root_ / "target", root_ / "new/1", root_ / "new/old"};
  }

  // A folder with one file, by which it is known.
  void make(const std::string& path, const std::string& text) const {
    fs::create_directories(path);
    std::ofstream(path + "/text") << text;
  }

  // "" if there is none.
  static std::string text_in(const std::string& path) {
    std::ifstream file(path + "/text");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TestFolder root_;
};

TEST_F(Folders, ChangePlaces) {
  make(folders().target, "old");
  make(folders().fresh, "new");
  const Inodes before = inodes_of(folders());
  EXPECT_FALSE(is_exchanged(folders(), before));
  for (int times = 0; times < 3; ++times) {  // To repeat it does nothing.
    exchange(folders(), before);
    EXPECT_TRUE(is_exchanged(folders(), before));
    EXPECT_EQ(text_in(folders().target), "new");
    EXPECT_EQ(text_in(folders().fresh), "old");
  }
}

TEST_F(Folders, ComeToAPlaceWhereNothingIs) {
  make(folders().fresh, "new");
  const Inodes before = inodes_of(folders());
  EXPECT_EQ(before.target, 0u);
  exchange(folders(), before);
  EXPECT_EQ(text_in(folders().target), "new");
  EXPECT_FALSE(fs::exists(folders().fresh));
  exchange(folders(), before);
  EXPECT_EQ(text_in(folders().target), "new");
}

TEST_F(Folders, ThatWereLeftBetweenTwoStepsGoOnOrBack) {
  for (const bool on : {true, false}) {
    make(folders().target, "old");
    make(folders().fresh, "new");
    const Inodes before = inodes_of(folders());
    fs::rename(folders().target, folders().aside);
    EXPECT_FALSE(is_exchanged(folders(), before));
    if (on)
      exchange(folders(), before);
    else
      put_back(folders());
    EXPECT_EQ(text_in(folders().target), on ? "new" : "old");
    EXPECT_EQ(text_in(folders().aside), on ? "old" : "");
    EXPECT_EQ(text_in(folders().fresh), on ? "" : "new");
    put_back(folders());  // Nothing is to be done.
    EXPECT_EQ(text_in(folders().target), on ? "new" : "old");
    for (const std::string& path :
         {folders().target, folders().fresh, folders().aside})
      remove_tree(path);
  }
}

TEST_F(Folders, ThatNobodyKnowsStayWhereTheyAre) {
  make(folders().target, "old");
  make(folders().fresh, "new");
  const Inodes before = inodes_of(folders());
  fs::rename(folders().target, root_ / "elsewhere");
  make(folders().target, "stranger");
  EXPECT_THROW(exchange(folders(), before), Error);
  EXPECT_EQ(text_in(folders().target), "stranger");
  EXPECT_EQ(text_in(folders().fresh), "new");
  // Nor does a new tree count that was made again since.
  fs::remove_all(folders().target);
  fs::rename(root_ / "elsewhere", folders().target);
  fs::rename(folders().fresh, root_ / "away");
  make(folders().fresh, "another");
  EXPECT_THROW(exchange(folders(), before), Error);
  EXPECT_EQ(text_in(folders().target), "old");
}

TEST_F(Folders, AreTriedWithoutLeavingAnything) {
  EXPECT_TRUE(can_exchange(root_ / "new/probe"));
  EXPECT_TRUE(fs::is_empty(root_ / "new"));
}

TEST_F(Folders, AreRemovedButNotWhatLinksLeadTo) {
  make(root_ / "outside", "mine");
  make(folders().target, "old");
  fs::create_symlink(root_ / "outside", folders().target + "/link");
  remove_tree(folders().target);
  EXPECT_FALSE(fs::exists(folders().target));
  EXPECT_EQ(text_in(root_ / "outside"), "mine");
  remove_tree(folders().target);
}

TEST_F(Folders, HandOnTheirAccess) {
  make(folders().target, "old");
  make(folders().fresh, "new");
  ASSERT_EQ(::chmod(folders().target.c_str(), 02750), 0);
  const bool has_attributes =
      ::setxattr(folders().target.c_str(), "user.note", "hello", 5, 0) == 0;
  carry_access(folders().target, folders().fresh);
  struct stat status {};
  ASSERT_EQ(::stat(folders().fresh.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 02750u);
  if (!has_attributes) GTEST_SKIP() << "this disk has no extended attributes";
  char value[8] = {};
  EXPECT_EQ(::getxattr(folders().fresh.c_str(), "user.note", value, 8), 5);
  EXPECT_EQ(std::string(value), "hello");
}

TEST_F(Folders, HandOnFilesThatAreNotThereYet) {
  make(folders().target + "/a/b", "old");
  make(folders().target, "old");
  make(folders().fresh, "new");
  fs::create_symlink("text", folders().target + "/link");
  for (const char* key : {"a/b/text", "text", "link"})
    carry_file(folders().target, folders().fresh, key);
  EXPECT_EQ(text_in(folders().fresh + "/a/b"), "old");
  EXPECT_EQ(text_in(folders().target + "/a/b"), "old");
  EXPECT_EQ(text_in(folders().fresh), "new");
  EXPECT_EQ(fs::read_symlink(folders().fresh + "/link"), "text");
}

}  // namespace
}  // namespace rechunk
