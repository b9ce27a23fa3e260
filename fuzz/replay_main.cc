// Runs every committed input through its target, without a fuzzer:
// `fuzz_replay FOLDER...`, where each FOLDER has a folder per target.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "targets.h"

namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Number of inputs; a finding names its input and goes on as an exception.
int replay(const rechunk::fuzz::Target& target, const fs::path& folder) {
  if (!fs::exists(folder)) return 0;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    try {
      target.run(content_of(entry.path()));
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", entry.path().c_str(), error.what());
      throw;
    }
    ++count;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& target : rechunk::fuzz::targets()) {
    int count = 0;
    for (int i = 1; i < argc; ++i)
      count += replay(target, fs::path(argv[i]) / target.name);
    std::printf("%-12s %d inputs\n", target.name.data(), count);
    if (count == 0) {
      std::fprintf(stderr, "%s: no inputs found\n", target.name.data());
      return 1;
    }
  }
}
