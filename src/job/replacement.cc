#include "job/replacement.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "base/retry.h"
#include "job/archive_target.h"
#include "job/foreign_files.h"
#include "journal/journal.h"
#include "rechunk/error.h"
#include "request/own_places.h"
#include "store/carry_over.h"
#include "store/folder_exchange.h"
#include "store/io_error.h"
#include "store/place.h"

namespace rechunk {
namespace {

using Json = nlohmann::json;

constexpr auto kPatience = std::chrono::seconds(60);
constexpr auto kInterval = std::chrono::milliseconds(20);

std::string in_place_hint() {
  return option_on("overwrite_in_place") +
         " erases the old target first, and writes the new one there";
}

FolderExchange folders_of(const PlannedJob& job) {
  return {real_place(job.places.target), job.places.replacement,
          replacement_folder(job.places.target) + "/old"};
}

// For an exchange that is only tried.
std::string probe_of(const PlannedJob& job) {
  return job.places.replacement + ".probe";
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return status;
  if (errno != ENOENT) throw_io("looking at", path, errno);
  return std::nullopt;
}

bool is_mount_point(const std::string& path, const struct stat& folder,
                    const struct stat& parent) {
  struct statx status {};
  const bool known = ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW,
                             STATX_INO, &status) == 0 &&
                     (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
  if (known && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
    return true;
  return folder.st_dev != parent.st_dev;
}

[[noreturn]] void refuse(const std::string& path, const std::string& cause) {
  throw Error(ErrorKind::kInvalidArgument, "replacing " + path + ": " + cause,
              in_place_hint());
}

// A sticky folder lets its users rename what is their own.
bool may_rename(const struct stat& folder, const struct stat& parent) {
  const uid_t user = ::geteuid();
  return (parent.st_mode & S_ISVTX) == 0 || user == 0 ||
         user == folder.st_uid || user == parent.st_uid;
}

void check_place(const PlannedJob& job) {
  const std::string path = real_place(job.places.target);
  const std::string parent = parent_of(path);
  if (is_link(job.places.target))
    refuse(job.places.target, "it is a symbolic link");
  const auto around = status_of(parent);
  const auto folder = around ? status_of(path) : std::nullopt;
  if (around && ::access(parent.c_str(), W_OK | X_OK) != 0)
    throw Error(ErrorKind::kInvalidArgument,
                "replacing " + path +
                    ": you may not write to the folder around it, which holds "
                    "the new target and the journal of the run",
                "choose a target elsewhere; " +
                    option_on("overwrite_in_place") +
                    " needs that folder, too, for the journal");
  if (!folder) return;
  if (!S_ISDIR(folder->st_mode))
    throw Error(ErrorKind::kInvalidArgument,
                "replacing " + path + ": it is no folder",
                "choose another target; rechunk removes nothing but Zarr data");
  if (is_mount_point(path, *folder, *around))
    refuse(path, "it is a mount point");
  if (!may_rename(*folder, *around))
    refuse(path,
           "it belongs to somebody else, and lies in a folder where only "
           "its owner may rename it");
  if (::access(path.c_str(), W_OK | X_OK) != 0)
    throw Error(ErrorKind::kInvalidArgument,
                "replacing " + path + ": you may not write to it");
}

// How large the new target will be is not known; most often it is as large as
// its source is stored.
void check_room(const PlannedJob& job) {
  const Places& places = job.places;
  std::int64_t bytes = job.stores.source ? stored_bytes(*job.stores.source) : 0;
  if (bytes == 0) bytes = stored_bytes(*open_store(places.target));
  if (!places.temp.empty()) {
    const auto temp = status_of(parent_of(real_place(places.temp)));
    const auto tree = status_of(parent_of(real_place(places.target)));
    if (temp && tree && temp->st_dev == tree->st_dev)
      bytes += job.plan.temp_bytes;
  }
  check_free_space(*open_store(places.target), bytes,
                   "the new target, beside the old one until it is complete,",
                   in_place_hint() + ": if the run fails, the old one is lost");
}

void make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw_io("making folder", path, error.value());
}

std::vector<std::string> files_to_carry(const PlannedJob& job,
                                        const std::string& from) {
  auto files = foreign_files(from);
  check_out_of_the_way(files, job.target, job.places.target);
  return files;
}

// Owner, mode and ACL of the root, and files that are no Zarr. The old target
// keeps them, too.
void carry_over(const PlannedJob& job, const std::string& from,
                const std::string& to) {
  if (!status_of(from)) return;
  carry_access(from, to);
  for (const std::string& key : files_to_carry(job, from))
    carry_file(from, to, key);
}

std::string record_of(const PlannedJob& job, const Inodes& before = {}) {
  return Json{{"plan_hash", job.hash},
              {"target", before.target},
              {"fresh", before.fresh}}
      .dump();
}

// What a run of this plan has written down before its exchange. A torn record
// is none: nothing was moved then. An archive has no inode until it is packed.
std::optional<Inodes> recorded(const PlannedJob& job) {
  const auto text = exchange_record(*job.stores.journal);
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object() || json.value("plan_hash", "") != job.hash)
    return std::nullopt;
  const auto target = json.find("target"), fresh = json.find("fresh");
  if (target == json.end() || fresh == json.end() ||
      !target->is_number_unsigned() || !fresh->is_number_unsigned() ||
      (*fresh == 0 && !packs(job)))
    return std::nullopt;
  return Inodes{*target, *fresh};
}

void wait_for_the_other(const PlannedJob& job) {
  const auto begin = std::chrono::steady_clock::now();
  while (is_begun(*job.stores.journal) && !is_replaced(job)) {
    if (std::chrono::steady_clock::now() - begin > kPatience)
      throw Error(ErrorKind::kIo,
                  "replacing " + job.places.target +
                      ": another process began to and did not finish",
                  action("resume", job.places.target) + " ends the run");
    std::this_thread::sleep_for(kInterval);
  }
}

// 1. The journal gets the record `exchanging`: all but the archive is done. Who
//    creates the record goes on.
// 2. The tree is packed, and the record gets the inode of the archive.
// 3. The archive gets its name. In a bucket it has it since 2.
// 4. The mark says so.
void pack(const PlannedJob& job, const std::function<void()>& check_lock) {
  Journal journal(job.stores.journal, job.hash);
  if (is_replaced(job)) return;
  const auto before = recorded(job);
  if (before && !check_lock) return wait_for_the_other(job);
  if (check_lock) check_lock();
  if (!before) {
    if (check_lock) journal.erase_exchange();  // One that is torn.
    if (!journal.begin_exchange(record_of(job))) return wait_for_the_other(job);
  }
  if (!before || !is_packed(job, before->fresh)) {
    const std::uint64_t inode = retrying([&] { return pack_tree(job); });
    if (check_lock) check_lock();
    journal.set_exchange(record_of(job, {.fresh = inode}));
  }
  retrying([&] { take_its_place(job); });
  journal.set_committed();
}

}  // namespace

bool replaces(const PlannedJob& job) { return !job.places.replacement.empty(); }

void check_replacement(const PlannedJob& job) {
  if (packs(job)) return check_archive(job);
  check_place(job);
  // What an unfinished run left is no target, and will be erased.
  if (has_metadata(*open_store(job.places.target)))
    files_to_carry(job, real_place(job.places.target));
}

void begin_replacement(const PlannedJob& job) {
  if (packs(job)) return begin_archive(job);
  const std::string folder = replacement_folder(job.places.target);
  const std::string target = real_place(job.places.target);
  put_old_target_back(job.places.target);
  retrying([&] { remove_tree(folder); });
  check_room(job);
  make_folders(job.places.replacement);
  if (status_of(target)) carry_access(target, job.places.replacement);
}

void note_replacement(const PlannedJob& job, Notes& notes) {
  if (!replaces(job) || packs(job)) return;
  const std::string target = real_place(job.places.target);
  const auto old = status_of(target);
  if (!old || is_replaced(job)) return;
  if (!can_exchange(probe_of(job)))
    notes.add("overwrite", "",
              "this disk cannot exchange folders: for a moment there is no "
              "target while the new one takes its place");
  if (::geteuid() != 0 && old->st_uid != ::geteuid())
    notes.add("overwrite", "",
              "the old target belongs to another user, the new one to you");
}

bool exchange_has_begun(const PlannedJob& job) {
  return replaces(job) && recorded(job).has_value();
}

bool is_replaced(const PlannedJob& job) {
  const auto before = recorded(job);
  if (packs(job))
    return committed_plan_hash(*job.stores.journal) == job.hash ||
           (before && is_in_place(job, before->fresh));
  return before && is_exchanged(folders_of(job), *before);
}

// 1. What the root is besides its content comes along, and files that are no
//    Zarr.
// 2. The journal gets the record `exchanging`: from now on the new tree is
//    complete, and which folder is where tells how far a process came. Who
//    creates the record goes on.
// 3. The folders change places, in one step where the disk can.
// 4. Files come along that appeared in the old target meanwhile.
void replace_target(const PlannedJob& job,
                    const std::function<void()>& check_lock) {
  if (packs(job)) return pack(job, check_lock);
  const FolderExchange folders = folders_of(job);
  Journal journal(job.stores.journal, job.hash);
  auto before = recorded(job);
  if (before && !check_lock) return wait_for_the_other(job);
  if (!before) {
    const Inodes tree = inodes_of(folders);
    if (tree.fresh == 0)
      throw Error(ErrorKind::kCorrupt, "replacing " + folders.target +
                                           ": the new target was removed");
    retrying([&] { carry_over(job, folders.target, folders.fresh); });
    if (check_lock) {
      check_lock();
      journal.erase_exchange();  // One that is torn.
    }
    if (!journal.begin_exchange(record_of(job, tree)))
      return wait_for_the_other(job);
    before = tree;
  }
  if (check_lock) check_lock();
  // Else another process may have begun to erase the old target.
  const bool was_done = is_exchanged(folders, *before);
  try {
    retrying([&] { exchange(folders, *before); });
  } catch (const Error& error) {
    if (!error.hint().empty()) throw;
    throw error.with_hint(in_place_hint());
  }
  const bool at_once = !status_of(folders.aside);
  const std::string& old = at_once ? folders.fresh : folders.aside;
  if (!was_done && before->target != 0 && status_of(old))
    for (const std::string& key : files_to_carry(job, old))
      carry_file(old, folders.target, key);
}

void put_old_target_back(const std::string& target) {
  const std::string path = real_place(target);
  put_back({path, "", replacement_folder(target) + "/old"});
}

void erase_replacement(const PlannedJob& job) {
  if (packs(job)) return erase_archive_tree(job);
  const FolderExchange folders = folders_of(job);
  put_back(folders);
  remove_tree(probe_of(job));
  remove_tree(folders.fresh);
  remove_tree(folders.aside);
  // Unless another run has begun to build there.
  ::rmdir(replacement_folder(job.places.target).c_str());
}

}  // namespace rechunk
