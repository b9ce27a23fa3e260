#include "store/partial_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace rechunk {
namespace {

namespace fs = std::filesystem;

class PartialFilesTest : public ::testing::Test {
 protected:
  ~PartialFilesTest() override { fs::remove_all(folder_); }

  std::string new_name() {
    fs::create_directories(folder_);
    return PartialFiles::name_beside((folder_ / "object").string());
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

  // Tests run beside each other, each in a process.
  const fs::path folder_ = fs::path(::testing::TempDir()) /
                           ("partial-files-" + std::to_string(::getpid()));
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

}  // namespace
}  // namespace rechunk
