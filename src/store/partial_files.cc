#include "store/partial_files.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "base/random_number.h"
#include "store/folders.h"

namespace rechunk {
namespace {

constexpr int kAttempts = 3;

bool unlink_if_there(const std::string& path) {
  for (int attempt = 0; attempt < kAttempts; ++attempt)
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return true;
  return false;
}

}  // namespace

std::string PartialFiles::name_beside(const std::string& path) {
  // Processes in two containers may have the same number on one disk.
  static std::atomic<std::uint64_t> counter{
      std::stoull(random_number().substr(0, 8), nullptr, 16) << 16};
  return path + "." + std::to_string(getpid()) + "-" +
         std::to_string(counter.fetch_add(1)) + std::string(kPartialSuffix);
}

// "0.1.4711-3.partial": the process has the number 4711.
bool PartialFiles::has_ended(const std::string& name) {
  const std::size_t end = name.size() - kPartialSuffix.size();
  const int process = std::atoi(name.c_str() + name.rfind('.', end - 1) + 1);
  // Other errors mean that it runs, for example as another user's process.
  return ::kill(process, 0) != 0 && errno == ESRCH;
}

std::vector<std::string> PartialFiles::of_ended(const std::string& path) {
  const std::filesystem::path object = path;
  const std::string begun = object.filename().string() + ".";
  std::vector<std::string> paths;
  std::error_code error;
  std::filesystem::directory_iterator at(object.parent_path(), error), end;
  for (; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(begun) || !is_partial(name)) continue;
    if (has_ended(name)) paths.push_back(at->path().string());
  }
  return paths;
}

void PartialFiles::remove(const std::string& path) noexcept {
  sweep();
  if (unlink_if_there(path)) return;
  const std::lock_guard lock(mutex_);
  left_.push_back(path);
}

void PartialFiles::sweep() noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(left_, unlink_if_there);
}

}  // namespace rechunk
