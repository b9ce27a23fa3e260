#include "store/file_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

#include "rechunk/error.h"
#include "store/file.h"
#include "store/file_url.h"
#include "store/folders.h"
#include "store/foreign_file.h"
#include "store/io_error.h"
#include "store/key.h"
#include "store/partial_files.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

// Keys become paths: they must not lead out of the root.
void check_key(std::string_view key) {
  if (!is_key(key))
    throw Error(ErrorKind::kInvalidArgument,
                "key '" + std::string(key) + "': not a path below the store");
}

class FileWriter final : public ObjectWriter {
 public:
  FileWriter(std::string path, int file, std::string partial,
             std::int64_t header_bytes,
             std::shared_ptr<PartialFiles> partial_files)
      : path_(std::move(path)),
        partial_(std::move(partial)),
        partial_files_(std::move(partial_files)),
        file_(file),
        header_bytes_(header_bytes),
        at_(header_bytes) {}

  ~FileWriter() override {
    if (!committed_) partial_files_->remove(partial_);
  }

  void append(std::span<const std::byte> bytes) override {
    write_all(file_.get(), path_, bytes, at_);
    at_ += static_cast<std::int64_t>(bytes.size());
  }

  void commit(std::span<const std::byte> header) override {
    if (static_cast<std::int64_t>(header.size()) != header_bytes_)
      throw Error(ErrorKind::kInternal,
                  "writing " + path_ + ": a header of another length");
    write_all(file_.get(), path_, header, 0);
    // Network disks may report only here that a write has failed.
    if (file_.close() != 0) throw_io("writing", path_, errno);
    // Nothing is synced here. The option `durable` syncs whole disks at once
    // (`sync_file_systems`).
    if (::rename(partial_.c_str(), path_.c_str()) != 0)
      throw_io("writing", path_, errno);
    committed_ = true;
  }

 private:
  const std::string path_, partial_;
  const std::shared_ptr<PartialFiles> partial_files_;
  File file_;
  const std::int64_t header_bytes_;
  std::int64_t at_;
  bool committed_ = false;
};

class FileStore final : public Store {
 public:
  explicit FileStore(std::string root) : root_(std::move(root)) {
    while (root_.size() > 1 && root_.ends_with('/')) root_.pop_back();
    if (root_.empty()) root_ = ".";
  }

  Medium medium() const override {
    std::call_once(asked_,
                   [&] { is_disk_ = !is_in_memory(existing_folder()); });
    return {.is_disk = is_disk_};
  }

  // Neighbours that ask for the same object share one open file.
  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    std::size_t first = 0;
    for (std::size_t next = 1; next <= requests.size(); ++next) {
      if (next < requests.size() && requests[next].key == requests[first].key)
        continue;
      const auto same = requests.subspan(first, next - first);
      first = next;
      read_object(same);
      if (!on_done) continue;
      for (ReadRequest& request : same)
        while (on_done(request)) read_object({&request, 1});
    }
  }

  std::unique_ptr<ObjectWriter> open_writer(
      std::string_view key, std::int64_t header_bytes) override {
    std::string path = path_of(key);
    std::string partial = PartialFiles::name_beside(path);
    const int file = create(partial, O_EXCL);
    return std::make_unique<FileWriter>(std::move(path), file,
                                        std::move(partial), header_bytes,
                                        partial_files_);
  }

  bool create_if_absent(std::string_view key,
                        std::span<const std::byte> bytes) override {
    const std::string path = path_of(key);
    try {
      const int code = link_to_new_file(path, bytes);
      if (!has_no_links(code)) {
        if (code != 0 && code != EEXIST) throw_io("writing", path, code);
        return code == 0;
      }
      return create_in_place(path, bytes);
    } catch (const Error&) {
      // A run that cannot begin leaves no folder behind.
      remove_empty_folders(path);
      throw;
    }
  }

  bool erase(std::string_view key) override {
    std::string path = path_of(key);
    // The store owns a link, but not what lies behind it.
    if (auto link = link_between(root_, path)) path = *std::move(link);
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return false;
      throw_io("removing", path, errno);
    }
    remove_empty_folders(path);
    return true;
  }

  void drop_unfinished(std::string_view key) override {
    for (const std::string& path : PartialFiles::of_ended(path_of(key)))
      partial_files_->remove(path);
  }

  void remove_unfinished(Writers writers) override;

  std::optional<std::int64_t> free_bytes() const override {
    std::error_code error;
    const fs::space_info space = fs::space(existing_folder(), error);
    if (error) return std::nullopt;
    return static_cast<std::int64_t>(space.available);
  }

  void sync() override {
    const fs::path path = existing_folder();
    const File folder(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (folder.get() < 0 || ::syncfs(folder.get()) != 0)
      throw_io("syncing", path, errno);
  }

  void scan(std::string_view prefix, const VisitListed& visit) const override {
    if (prefix.empty()) return list_files(root_, "", visit);
    const std::string path = path_of(prefix);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return;
    if (S_ISDIR(status.st_mode)) return list_files(path, prefix, visit);
    visit(prefix, status.st_size);
  }

  std::optional<bool> exists() const override {
    std::error_code error;
    return fs::exists(root_, error);
  }

  std::string describe(std::string_view key) const override {
    return key.empty() ? root_ : root_ + "/" + std::string(key);
  }

  std::shared_ptr<Store> below(std::string_view key) const override {
    return std::make_shared<FileStore>(path_of(key));
  }
  std::shared_ptr<Store> above() const override {
    const auto path = std::filesystem::absolute(root_).lexically_normal();
    if (!path.has_relative_path()) return nullptr;
    return std::make_shared<FileStore>(path.parent_path());
  }

 private:
  std::string path_of(std::string_view key) const {
    check_key(key);
    return root_ + "/" + std::string(key);
  }

  // The root, or what exists of the way to it.
  fs::path existing_folder() const {
    std::error_code error;
    fs::path path = fs::absolute(root_, error);
    while (!fs::exists(path, error) && path.has_relative_path())
      path = path.parent_path();
    return path;
  }

  void read_object(std::span<ReadRequest> requests) const {
    const std::string path = path_of(requests[0].key);
    for (ReadRequest& request : requests) {
      request.found = false;
      request.bytes_read = request.object_bytes = request.version = 0;
    }
    // Opening a pipe would wait for somebody to write into it.
    const File file(
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) {
      if (errno == ENOENT || errno == ENOTDIR) return;
      throw_io("reading", path, errno);
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw_io("reading", path, errno);
    if (S_ISDIR(status.st_mode)) return;  // A folder is no object.
    if (!S_ISREG(status.st_mode))
      throw Error(ErrorKind::kIo, "reading " + path + ": it is no regular file",
                  "a store holds files and folders; remove it");
    for (ReadRequest& request : requests) {
      request.found = true;
      request.object_bytes = status.st_size;
      request.version = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} +
                        status.st_mtim.tv_nsec;
      const std::int64_t offset =
          request.offset >= 0
              ? request.offset
              : std::max<std::int64_t>(0, status.st_size + request.offset);
      read_buffers(file.get(), path, offset, request);
    }
  }

  // A link fails if the name is taken. A rename would replace the file. Returns
  // 0, or the code of the error.
  int link_to_new_file(const std::string& path,
                       std::span<const std::byte> bytes) {
    const std::string partial = PartialFiles::name_beside(path);
    try {
      File file(create(partial, O_EXCL));
      write_all(file.get(), path, bytes, 0);
    } catch (const Error&) {
      partial_files_->remove(partial);
      throw;
    }
    const int code = ::link(partial.c_str(), path.c_str()) == 0 ? 0 : errno;
    partial_files_->remove(partial);
    return code;
  }

  // The answers of exFAT, SMB and others to a request for a link.
  static bool has_no_links(int code) {
    return code == EPERM || code == EACCES || code == ENOSYS ||
           code == EOPNOTSUPP || code == EMLINK || code == EXDEV;
  }

  // Here, too, only one process creates the file. But others may see it before
  // it is filled.
  bool create_in_place(const std::string& path,
                       std::span<const std::byte> bytes) {
    if (::access(path.c_str(), F_OK) == 0) return false;
    std::optional<File> file;
    try {
      file.emplace(create(path, O_EXCL));
    } catch (const Error&) {
      // Another process has created it meanwhile.
      if (::access(path.c_str(), F_OK) == 0) return false;
      throw;
    }
    try {
      write_all(file->get(), path, bytes, 0);
      if (file->close() != 0) throw_io("writing", path, errno);
    } catch (const Error&) {
      ::unlink(path.c_str());
      throw;
    }
    return true;
  }

  static constexpr int kMostTries = 100;

  // Makes the folders that are missing, then the file.
  int create(const std::string& path, int flags) {
    const std::string folder = path.substr(0, path.rfind('/'));
    for (int tries = 1;; ++tries) {
      const std::error_code error = make_folder(folder);
      const int file =
          error ? -1
                : ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags,
                         0666);
      if (file >= 0) return file;
      const int cause = error ? error.value() : errno;
      // Another process may erase the last object of this folder and remove the
      // folder, after it was made or while it is being made. EEXIST: it was
      // there for mkdir, and gone when looked at.
      const bool gone = cause == ENOENT || (error && cause == EEXIST);
      if (!gone || tries == kMostTries) {
        remove_empty_folders(path);
        error ? throw_io("making folder", folder, cause)
              : throw_io("writing", path, cause);
      }
      forget_folders();
    }
  }

  std::error_code make_folder(const std::string& folder) {
    {
      const std::lock_guard lock(mutex_);
      if (folders_.contains(folder)) return {};
    }
    if (const auto link = link_between(root_, folder + "/"))
      throw Error(ErrorKind::kIo,
                  "writing below " + *link + ": it is a symbolic link",
                  "remove it: nothing is written outside the target");
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return error;
    const std::lock_guard lock(mutex_);
    folders_.insert(folder);
    return {};
  }

  void forget_folders() {
    const std::lock_guard lock(mutex_);
    folders_.clear();
  }

  // Removes the root, too, when its last object is erased.
  void remove_empty_folders(std::string path) {
    bool removed = false;
    while (path.size() > root_.size()) {
      path.resize(path.rfind('/'));
      // `rmdir` refuses a folder with content. So no writer loses anything.
      if (::rmdir(path.c_str()) != 0) break;
      removed = true;
    }
    if (removed) forget_folders();
  }

  std::string root_;
  const std::shared_ptr<PartialFiles> partial_files_ =
      std::make_shared<PartialFiles>();
  std::mutex mutex_;
  std::unordered_set<std::string> folders_;  ///< Known to exist.
  mutable std::once_flag asked_;
  mutable bool is_disk_ = false;
};

void FileStore::remove_unfinished(Writers writers) {
  std::error_code error;
  const fs::recursive_directory_iterator all(root_, error), end;
  std::vector<fs::path> folders;
  for (auto at = all; !error && at != end; at.increment(error)) {
    const fs::directory_entry& entry = *at;
    if (entry.is_symlink(error)) continue;
    const std::string name = entry.path().filename();
    if (entry.is_directory(error))
      folders.push_back(entry.path());
    else if (is_partial(name) &&
             (writers == Writers::kNobody || PartialFiles::has_ended(name)) &&
             ::unlink(entry.path().c_str()) != 0 && errno != ENOENT)
      throw_io("removing", entry.path(), errno);
  }
  if (error && error.value() != ENOENT && error.value() != ENOTDIR)
    throw_io("listing", root_, error.value());
  if (writers == Writers::kOthers) return;
  // Inner folders come last. Only empty ones can be removed.
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
    ::rmdir(folder->c_str());
  ::rmdir(root_.c_str());
  forget_folders();
}

}  // namespace

std::shared_ptr<Store> make_file_store(std::string root) {
  return std::make_shared<FileStore>(std::move(root));
}

std::shared_ptr<Store> open_folder(const std::string& place,
                                   const StorageOptions& options) {
  std::string path = file_path(place);
  if (!options.empty())
    throw Error(ErrorKind::kInvalidArgument,
                "opening " + path + ": a local place has no storage option " +
                    options.begin()->first);
  refuse_file(path);
  return make_file_store(std::move(path));
}

}  // namespace rechunk
