#include "store/partial_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/folder_testing.h"
#include "rechunk/store.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

class PartialFilesTest : public ::testing::Test {
 protected:
  std::string new_name() {
    return PartialFiles::name_beside(folder_ / "object");
  }
  // What cannot be unlinked, until `unblock`.
  std::string blocked() {
    const std::string name = new_name();
    fs::create_directory(name);
    return name;
  }
  static void unblock(const std::string& name) {
    fs::remove(name);
    std::ofstream(name) << "bytes";
  }

  const TestFolder folder_;
};

TEST_F(PartialFilesTest, GiveNamesThatDiffer) {
  EXPECT_NE(new_name(), new_name());
}

TEST_F(PartialFilesTest, AreRemovedLaterIfTheyCannotBeAtOnce) {
  PartialFiles files;
  const std::string name = blocked();
  files.remove(name);
  EXPECT_TRUE(fs::exists(name));
  unblock(name);
  files.remove(new_name());
  EXPECT_FALSE(fs::exists(name));
}

TEST_F(PartialFilesTest, OfProcessesThatEndedAreFound) {
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(ended, nullptr, 0), ended);
  const std::string mine = new_name(), object = folder_ / "object";
  const std::string left = object + "." + std::to_string(ended) + "-1.partial";
  for (const std::string& path :
       {mine, left, object,
        object + "2." + std::to_string(ended) + "-1.partial",
        object + ".notes.partial"})
    std::ofstream(path) << "bytes";
  EXPECT_EQ(PartialFiles::of_ended(object), std::vector<std::string>{left});
  EXPECT_TRUE(PartialFiles::of_ended("/no/such/folder/object").empty());
}

TEST_F(PartialFilesTest, AreRemovedAtTheEnd) {
  std::string name;
  {
    PartialFiles files;
    name = blocked();
    files.remove(name);
    unblock(name);
  }
  EXPECT_FALSE(fs::exists(name));
}

TEST_F(PartialFilesTest, OfProcessesAtWorkStay) {
  const std::string own = new_name();
  std::ofstream(own) << "bytes";
  const pid_t child = fork();
  if (child == 0) {
    std::ofstream(new_name()) << "bytes";
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const auto count = [&] {
    return std::distance(fs::directory_iterator(folder_.path()), {});
  };
  EXPECT_EQ(count(), 2);
  const auto store = open_store(folder_.path().string());
  store->remove_unfinished(Writers::kOthers);
  EXPECT_EQ(count(), 1);
  EXPECT_TRUE(fs::exists(own));
  store->remove_unfinished(Writers::kNobody);
  EXPECT_FALSE(fs::exists(own));
}

}  // namespace
}  // namespace rechunk
