#include "base/random_number.h"

#include <fmt/format.h>

#include <random>

namespace rechunk {

std::string random_number() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace rechunk
