// The files that a store is writing under temporary names. Files that are not
// needed must be removed, even if a first call to remove them fails.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace rechunk {

/// All methods may be called by any thread.
class PartialFiles {
 public:
  /// Tries once more to remove what is left.
  ~PartialFiles() { sweep(); }

  /// A name beside `path` that no other file of any process has.
  static std::string name_beside(const std::string& path);

  /// True if the process does not run on this machine that gave a partial file
  /// this name.
  static bool has_ended(const std::string& name);

  /// Those beside `path` whose processes do not run on this machine.
  static std::vector<std::string> of_ended(const std::string& path);

  /// Removes the file, later if it cannot be now.
  void remove(const std::string& path) noexcept;

 private:
  void sweep() noexcept;

  std::mutex mutex_;
  std::vector<std::string> left_;
};

}  // namespace rechunk
