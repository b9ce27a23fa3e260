// Entry points of libFuzzer: `fuzz --target=NAME [FLAGS] CORPUS...`.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "targets.h"

namespace {

const rechunk::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kFlag = "--target=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view word = (*argv)[i];
    if (word.starts_with(kFlag))
      chosen = rechunk::fuzz::find_target(word.substr(kFlag.size()));
  }
  if (chosen) return 0;
  std::fputs("usage: fuzz --target=NAME [FLAGS OF LIBFUZZER] CORPUS...\n",
             stderr);
  for (const auto& target : rechunk::fuzz::targets())
    std::fprintf(stderr, "  %s\n", target.name.data());
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
