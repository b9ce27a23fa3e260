#include "cli/plan_file.h"

#include <filesystem>
#include <memory>

#include "rechunk/store.h"

namespace rechunk::cli {
namespace {

namespace fs = std::filesystem;

/// The folder of a file as a store, for its atomic writes.
std::shared_ptr<Store> folder_of(const fs::path& path) {
  return open_store(fs::absolute(path).parent_path().string());
}

/// Throws: invalid_argument if another file is there, because it would be lost.
void check_plan_place(const std::string& path) {
  const auto text =
      read_text(*folder_of(path), fs::path(path).filename().string());
  if (!text || text->find("\"plan_hash\"") != std::string::npos) return;
  throw Error(
      ErrorKind::kInvalidArgument,
      "saving the plan to " + path + ": there is a file that is not a plan",
      "choose another name");
}

}  // namespace

void save_plan(const Job& job, const std::string& path) {
  job.check_target();
  check_plan_place(path);
  write_text(*folder_of(path), fs::path(path).filename().string(), job.save());
}

Job load_plan(const std::string& path) {
  const auto text =
      read_text(*folder_of(path), fs::path(path).filename().string());
  if (!text)
    throw Error(ErrorKind::kNotFound, "reading " + path + ": no such file",
                "`rechunk plan --save` writes plan files");
  return with_context([&] { return Job::load(*text); }, [&] { return path; });
}

}  // namespace rechunk::cli
