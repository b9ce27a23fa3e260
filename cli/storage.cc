#include "cli/storage.h"

#include <fmt/format.h>

namespace rechunk::cli {
namespace {

using Words = std::vector<std::string>;

// The value stays out of messages: it may be a secret.
StorageOptions parse(const char* flag, const Words& words) {
  StorageOptions options;
  for (const std::string& word : words) {
    const std::size_t mark = word.find('=');
    if (mark == std::string::npos || mark == 0)
      throw UsageError(fmt::format("{}: it takes KEY=VALUE", flag),
                       "for example --storage region=eu-central-1");
    options.insert_or_assign(word.substr(0, mark), word.substr(mark + 1));
  }
  return options;
}

}  // namespace

Storage make_storage(const Arguments& arguments) {
  return {.source = parse("--source-storage", arguments.source_storage),
          .target = parse("--target-storage", arguments.target_storage),
          .temp = parse("--temp-storage", arguments.temp_storage),
          .all = parse("--storage", arguments.storage)};
}

}  // namespace rechunk::cli
