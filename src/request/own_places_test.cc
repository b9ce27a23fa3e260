#include "request/own_places.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/folder_testing.h"
#include "rechunk/error.h"
#include "store/file_url.h"
#include "store/place.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

class Places : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return folder_ / name; }

  bool apart(const std::string& source, const std::string& target) const {
    try {
      check_apart(source, target);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      return false;
    }
    return true;
  }

  const TestFolder folder_;
};

TEST_F(Places, OneBesideTheOtherAreApart) {
  EXPECT_TRUE(apart(at("a.zarr"), at("b.zarr")));
  EXPECT_TRUE(apart(at("a"), at("ab")));
  EXPECT_TRUE(apart(at("ab"), at("a")));
  EXPECT_TRUE(apart(at("x/..a"), at("x/b")));
  EXPECT_TRUE(apart(at("g/a"), at("g/b")));
}

TEST_F(Places, TemporaryDataLiesBesideBoth) {
  EXPECT_NO_THROW(check_temp_apart(at("t"), at("a"), at("b")));
  EXPECT_NO_THROW(check_temp_apart("", at("a"), at("b")));
  EXPECT_THROW(check_temp_apart(at("a/t"), at("a"), at("b")), Error);
  EXPECT_THROW(check_temp_apart(at("b/t"), at("a"), at("b")), Error);
}

TEST_F(Places, TheSamePlaceIsNotApartHoweverItIsWritten) {
  EXPECT_FALSE(apart(at("a"), at("a")));
  EXPECT_FALSE(apart(at("a/"), at("a")));
  EXPECT_FALSE(apart(at("a"), at("x/../a")));
  EXPECT_FALSE(apart("file://" + at("a"), at("a")));
  EXPECT_FALSE(apart(at("a"), "file://" + at("./a")));
  fs::create_directories(folder_ / "real");
  fs::create_directory_symlink(folder_ / "real", folder_ / "link");
  EXPECT_FALSE(apart(at("real"), at("link")));
}

TEST_F(Places, OneWithinTheOtherIsNotApart) {
  EXPECT_FALSE(apart(at("a"), at("a/b")));
  EXPECT_FALSE(apart(at("a/b/c"), at("a")));
  EXPECT_FALSE(apart(at("a"), at("a/..b")));
  EXPECT_FALSE(apart(at("a"), at("a/.")));
  fs::create_directories(folder_ / "real");
  fs::create_directory_symlink(folder_ / "real", folder_ / "link");
  EXPECT_FALSE(apart(at("real"), at("link/new/b")));
}

TEST_F(Places, RelativeOnesAreThoseOfTheWorkingFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  EXPECT_FALSE(apart("a", at("a")));
  EXPECT_FALSE(apart("a", at("a/b")));
  EXPECT_FALSE(apart(".", "a"));
  EXPECT_TRUE(apart("a", "b"));
  EXPECT_EQ(temp_place("", "b.zarr"), at(".b.zarr.rechunk-temp"));
  fs::current_path(before);
}

TEST_F(Places, TemporaryDataLieBesideTheTargetAndAreHidden) {
  EXPECT_EQ(temp_place("", at("b.zarr")), at(".b.zarr.rechunk-temp"));
  EXPECT_EQ(temp_place("", at("b.zarr/")), at(".b.zarr.rechunk-temp"));
  EXPECT_EQ(temp_place("", "file://" + at("b.zarr")),
            at(".b.zarr.rechunk-temp"));
}

TEST_F(Places, UrlsOfFilesArePaths) {
  EXPECT_EQ(file_path("file:///data/a%20b"), "/data/a b");
  EXPECT_EQ(file_path("file://localhost/data/%C3%A4"), "/data/\u00e4");
  EXPECT_EQ(file_path("file://near/a"), "near/a");
  EXPECT_EQ(file_path("/data/a%20b"), "/data/a%20b");
  EXPECT_EQ(file_path("file:///100%/%2"), "/100%/%2");
  EXPECT_FALSE(apart("file://localhost" + at("a%62"), at("ab")));
  EXPECT_THROW(temp_place("none-such://bucket", at("b.zarr")), Error);
}

TEST_F(Places, UrlsAreComparedByTheirText) {
  const std::string target = "s3://bucket/a/b.zarr";
  EXPECT_EQ(journal_place(target + "/"), "s3://bucket/a/b.zarr.rechunk");
  EXPECT_EQ(temp_place("", target), "s3://bucket/a/.b.zarr.rechunk-temp");
  EXPECT_EQ(temp_place(at("scratch"), target),
            at("scratch/.b.zarr.rechunk-temp"));
  EXPECT_TRUE(is_temp_place(temp_place("", target)));
  EXPECT_EQ(absolute_place(target), target);
  EXPECT_FALSE(is_local(target));
  EXPECT_TRUE(apart(target, "s3://bucket/a/b.zarr2"));
  EXPECT_TRUE(apart(target, at("b.zarr")));
  EXPECT_TRUE(apart(target, "s3://other/a/b.zarr"));
  EXPECT_FALSE(apart(target, target + "/"));
  EXPECT_FALSE(apart(target, target + "/c"));
  EXPECT_FALSE(apart("s3://bucket", target));
  EXPECT_THROW(journal_place("s3://bucket"), Error);
}

// The run may empty its folder: never the one that was given.
TEST_F(Places, TemporaryDataGetAFolderOfTheirOwnWithinTheGivenOne) {
  EXPECT_EQ(temp_place(at("scratch"), at("b.zarr")),
            at("scratch/.b.zarr.rechunk-temp"));
  EXPECT_EQ(temp_place("file://" + at("scratch"), at("b.zarr")),
            at("scratch/.b.zarr.rechunk-temp"));
  EXPECT_NE(temp_place(at("scratch"), at("b.zarr")),
            temp_place(at("scratch"), at("c.zarr")));
}

TEST_F(Places, SpaceIsCheckedWhereThePlaceWillBe) {
  const auto store = open_store(at("not/yet/there"));
  EXPECT_NO_THROW(check_free_space(*store, 1, "it", ""));
  try {
    check_free_space(*store, INT64_MAX, "temporary data", "");
    FAIL() << "more than there can be";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_NE(std::string(error.what()).find(folder_.path().string()),
              std::string::npos);
  }
}

}  // namespace
}  // namespace rechunk
