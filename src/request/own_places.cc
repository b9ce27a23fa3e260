#include "request/own_places.h"

#include <filesystem>
#include <system_error>

#include "base/byte_size.h"
#include "rechunk/error.h"
#include "store/archives.h"
#include "store/file_url.h"
#include "store/foreign_file.h"
#include "store/place.h"

namespace rechunk {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTempSuffix = ".rechunk-temp";
constexpr std::string_view kReplacementSuffix = ".rechunk-new";

// ".NAME.rechunk-temp" of ".../NAME".
std::string hidden_name(const std::string& target, std::string_view suffix) {
  return "." + name_of_place(target) + std::string(suffix);
}

// A folder cannot be made where a file is, nor in one.
void refuse_files_above(const std::string& place) {
  if (!is_local(place)) return;
  std::error_code error;
  std::filesystem::path there = file_path(place);
  while (!std::filesystem::exists(there, error) && there.has_parent_path())
    there = there.parent_path();
  refuse_file(there);
}

bool is_folder(const std::string& place) {
  std::error_code error;
  return is_local(place) && fs::is_directory(real_place(place), error);
}

void check_temp_outside(const std::string& temp, const std::string& place,
                        std::string_view whose) {
  if (place.empty() || !lies_within(temp, place)) return;
  throw Error(ErrorKind::kInvalidArgument,
              "putting temporary data into " + real_place(temp) +
                  ": it lies within the " + std::string(whose) + " " +
                  real_place(place),
              "choose another " + option("temp"));
}

}  // namespace

// A run must not read what it writes, nor erase its source with a target.
void check_apart(const std::string& source, const std::string& target) {
  const std::string from = real_place(source), to = real_place(target);
  if (same_place(from, to))
    throw Error(ErrorKind::kInvalidArgument,
                "source and target are the same place: " + from);
  if (lies_within(to, from) || lies_within(from, to))
    throw Error(
        ErrorKind::kInvalidArgument,
        "source and target lie within each other: " + from + " and " + to,
        "choose a target beside the source");
}

void check_temp_apart(const std::string& temp, const std::string& source,
                      const std::string& target) {
  if (temp.empty()) return;
  check_temp_outside(temp, source, "source");
  check_temp_outside(temp, target, "target");
}

void check_archives(const std::string& target, const Options& options) {
  const bool is_file =
      is_local(target) && fs::is_regular_file(real_place(target));
  if (!is_file || !names_zip(target)) refuse_files_above(target);
  if (is_local(target))
    for (fs::path there = fs::path(real_place(target)).parent_path();
         !fs::exists(there) && there.has_relative_path();
         there = there.parent_path())
      if (names_zip(there.string()))
        throw Error(ErrorKind::kUnsupported,
                    "writing " + target + ": it lies in the archive " +
                        there.string() + ", which is not there",
                    "give the archive as the target: it is made whole");
  if (!names_zip(target) || is_folder(target)) return;
  const std::string writing = "writing " + target + ": ";
  if (!options.append.empty() || !options.region.empty())
    throw Error(ErrorKind::kUnsupported,
                writing + "an archive can be replaced, but not changed",
                "write into a folder, or rechunk into another archive");
  if (options.overwrite_in_place)
    throw Error(ErrorKind::kInvalidArgument,
                writing + option("overwrite_in_place") +
                    " is not for archives, which are made whole",
                option_on("overwrite") + " replaces it");
}

std::string temp_place(const std::string& temp, const std::string& target) {
  const std::string name = hidden_name(target, kTempSuffix);
  if (temp.empty()) return beside(target, name);
  // Without a table entry for it, the place could not be opened later.
  if (!has_store(temp)) open_store(temp);
  refuse_files_above(temp);
  return real_place(temp) + "/" + name;
}

bool is_temp_place(const std::string& place) {
  const std::string name = name_of_place(place);
  return name.starts_with('.') && name.ends_with(kTempSuffix);
}

std::string journal_place(const std::string& target) {
  return beside(target, name_of_place(target) + ".rechunk");
}

std::string replacement_folder(const std::string& target) {
  return beside(target, hidden_name(target, kReplacementSuffix));
}

std::string replacement_place(const std::string& target,
                              const std::string& number) {
  return replacement_folder(target) + "/" + number;
}

bool is_replacement_of(const std::string& place, const std::string& target) {
  const std::string number = name_of_place(place);
  return place_around(place) == replacement_folder(target) && !number.empty() &&
         number.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::shared_ptr<Store> open_own_store(const std::string& place,
                                      const StorageOptions& options,
                                      const OpenPlace& neighbour) {
  if (neighbour.store && neighbour.store->medium().is_remote &&
      place_around(place) == place_around(neighbour.place))
    if (const auto around = neighbour.store->above())
      return around->below(name_of_place(place));
  if (is_link(place))
    throw Error(ErrorKind::kIo, "opening " + place + ": it is a symbolic link",
                "remove it: rechunk makes this folder itself");
  return open_store(place, options);
}

std::int64_t stored_bytes(const Store& store) {
  std::int64_t sum = 0;
  store.list("", [&](std::string_view, std::int64_t bytes) { sum += bytes; });
  return sum;
}

void check_free_space(const Store& store, std::int64_t bytes,
                      const std::string& what, const std::string& hint) {
  const auto free = store.free_bytes();
  // A store that does not tell its space is no reason to refuse.
  if (!free || bytes <= *free) return;
  throw Error(ErrorKind::kIo,
              what + " needs " + format_byte_size(bytes) + " at " +
                  store.describe("") + ", where " + format_byte_size(*free) +
                  " are free",
              hint);
}

}  // namespace rechunk
