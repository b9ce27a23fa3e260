#include "job/archive_target.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>

#include "job/foreign_files.h"
#include "rechunk/error.h"
#include "request/own_places.h"
#include "store/archives.h"
#include "store/carry_over.h"
#include "store/folder_exchange.h"
#include "store/io_error.h"
#include "store/place.h"
#include "store/zip_store.h"
#include "store/zip_writer.h"
#include "zarr/documents/hierarchy.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBufferBytes = 32 << 20;

/// An object of a store, which is or will be the archive.
struct Object {
  std::shared_ptr<Store> around;
  std::string name;
};

Object object_at(const PlannedJob& job, const std::string& place) {
  return {open_store(place_around(place), job.stores.storage.target),
          name_of_place(place)};
}

Object archive_of(const PlannedJob& job) {
  return object_at(job, real_place(job.places.target));
}

std::string packed_path(const PlannedJob& job) {
  return job.places.replacement + ".zip";
}

/// Where it is packed: a disk can check it, and give it the rights of the old
/// one, before readers see it. In a bucket it is visible when it is written.
Object packed_of(const PlannedJob& job) {
  if (!is_local(job.places.target)) return archive_of(job);
  return object_at(job, packed_path(job));
}

/// The old archive as a store; nullptr if there is none.
std::shared_ptr<Store> old_archive(const PlannedJob& job) {
  return open_archive(job.places.target, job.stores.storage.target, {});
}

// How large the target will be is not known; most often it is as large as its
// source is stored. It is there twice when it is packed.
void check_room(const PlannedJob& job) {
  if (!job.stores.source || !job.stores.source->can_list()) return;
  check_free_space(*archive_of(job).around,
                   2 * stored_bytes(*job.stores.source) + job.plan.temp_bytes,
                   "the archive, beside the tree from which it is packed,",
                   "write to a folder, and pack it elsewhere");
}

// They are no Zarr. An object of that name in the tree counts first.
void carry_files(const PlannedJob& job, std::span<std::byte> buffer) {
  const auto old = old_archive(job);
  if (!old) return;
  for (const std::string& key : foreign_files(*old)) {
    if (has_object(*job.stores.target, key)) continue;
    const auto writer = job.stores.target->open_writer(key);
    for (ReadRequest part{.key = key, .destination = {buffer}};;) {
      old->read_one(part);
      writer->append(buffer.first(static_cast<std::size_t>(part.bytes_read)));
      part.offset += part.bytes_read;
      if (part.offset >= part.object_bytes) break;
    }
    writer->commit();
  }
}

// 0: no file is there.
std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status.st_ino;
  if (errno != ENOENT) throw_io("looking at", path, errno);
  return 0;
}

}  // namespace

bool packs(const PlannedJob& job) {
  return !job.places.replacement.empty() && names_zip(job.places.target);
}

void check_archive(const PlannedJob& job) {
  const std::string& place = job.places.target;
  const auto refuse = [&](const std::string& cause) {
    throw Error(ErrorKind::kInvalidArgument, "writing " + place + ": " + cause,
                "a target of this name is made as a zip archive; choose "
                "another name");
  };
  if (is_link(place)) refuse("it is a symbolic link");
  if (is_local(place) && fs::is_directory(real_place(place)))
    refuse("it is a folder");
  const auto old = old_archive(job);
  if (!old && !is_local(place) &&
      has_metadata(*open_store(place, job.stores.storage.target)))
    refuse("it is no object, but holds objects");
  if (old) check_out_of_the_way(foreign_files(*old), job.target, place);
}

void begin_archive(const PlannedJob& job) {
  const std::string folder = replacement_folder(job.places.target);
  if (is_local(folder))
    remove_tree(folder);
  else
    erase_hierarchy(*open_own_store(folder, job.stores.storage.target), true);
  const Object packed = packed_of(job);
  packed.around->drop_unfinished(packed.name);
  check_room(job);
}

std::uint64_t pack_tree(const PlannedJob& job) {
  MemoryBudget budget = process_budget(job);
  Arena arena = budget.acquire(
      std::min(kBufferBytes,
               budget.limit() - budget.limit() % MemoryBudget::kAlignment));
  const std::span<std::byte> buffer = arena.take(arena.capacity());
  carry_files(job, buffer);
  const Object packed = packed_of(job);
  packed.around->drop_unfinished(packed.name);
  pack_zip(*job.stores.target, *packed.around, packed.name, buffer);
  if (job.options.verify)
    verify_zip(*job.stores.target,
               *make_zip_store(packed.around, packed.name, job.places.target),
               buffer);
  return is_local(job.places.target) ? inode_of(packed_path(job)) : 0;
}

bool is_packed(const PlannedJob& job, std::uint64_t inode) {
  return inode != 0 && inode_of(packed_path(job)) == inode;
}

bool is_in_place(const PlannedJob& job, std::uint64_t inode) {
  return inode != 0 && inode_of(real_place(job.places.target)) == inode;
}

void take_its_place(const PlannedJob& job) {
  if (!is_local(job.places.target)) return;
  const std::string packed = packed_path(job);
  const std::string target = real_place(job.places.target);
  if (inode_of(target) != 0) carry_access(target, packed);
  if (::rename(packed.c_str(), target.c_str()) != 0)
    throw_io("renaming the packed archive to", target, errno);
}

void erase_archive_tree(const PlannedJob& job) {
  const Object packed = packed_of(job);
  packed.around->drop_unfinished(packed.name);
  if (!is_local(job.places.target)) {
    erase_hierarchy(*job.stores.target, true);
    return;
  }
  remove_tree(job.places.replacement);
  packed.around->erase(packed.name);
  // Unless another run has begun to build there.
  ::rmdir(replacement_folder(job.places.target).c_str());
}

}  // namespace rechunk
