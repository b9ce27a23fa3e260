#include "request/strict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "rechunk/error.h"

namespace rechunk {

void refuse_notes(const Options& options, const Notes& notes) {
  if (!options.strict || notes.empty()) return;
  throw Error(
      ErrorKind::kInvalidArgument,
      fmt::format("{}: {}", option("strict"), fmt::join(to_lines(notes), "; ")),
      fmt::format("without {} these are notes, and the run goes on",
                  option("strict")));
}

}  // namespace rechunk
