// Folders of their own for tests. Only tests include this.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace rechunk {

/// An empty folder that no other test has: tests run beside each other. It ends
/// with this object.
class TestFolder {
 public:
  TestFolder() {
    namespace fs = std::filesystem;
    std::string name =
        fs::canonical(fs::temp_directory_path()) / "rechunk-test-XXXXXX";
    if (!mkdtemp(name.data()))
      throw fs::filesystem_error(
          "make a folder", name,
          std::error_code(errno, std::generic_category()));
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// A path within it.
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace rechunk
