#include "rechunk/options.h"

#include "base/machine.h"

namespace rechunk {

Options with_defaults(Options options) {
  if (options.max_memory <= 0) options.max_memory = memory_limit() / 2;
  if (options.threads <= 0) options.threads = available_threads();
  options.overwrite = options.overwrite || options.overwrite_in_place;
  return options;
}

}  // namespace rechunk
