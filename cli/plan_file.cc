#include "cli/plan_file.h"

#include "rechunk/store.h"

namespace rechunk::cli {
namespace {

/// Throws: invalid_argument if something else stands there: it would be lost.
void check_plan_place(const StoredObject& file, const std::string& path) {
  const auto text = read_text(*file.store, file.key);
  if (!text || text->find("\"plan_hash\"") != std::string::npos) return;
  throw Error(
      ErrorKind::kInvalidArgument,
      "saving the plan to " + path + ": there is a file that is not a plan",
      "choose another name");
}

}  // namespace

void save_plan(const Job& job, const std::string& path,
               const Storage& storage) {
  job.check_target();
  const StoredObject file = open_object(path, storage);
  check_plan_place(file, path);
  write_text(*file.store, file.key, job.save());
}

Job load_plan(const std::string& path, const Storage& storage) {
  const StoredObject file = open_object(path, storage);
  const auto text = read_text(*file.store, file.key);
  if (!text)
    throw Error(ErrorKind::kNotFound, "reading " + path + ": no such file",
                "`rechunk plan --save` writes plan files");
  return with_context([&] { return Job::load(*text, {.storage = storage}); },
                      [&] { return path; });
}

}  // namespace rechunk::cli
