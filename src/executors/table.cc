#include "executors/table.h"

#include <string>

#include "rechunk/error.h"

namespace rechunk {
namespace {

struct Row {
  std::string_view name;
  std::unique_ptr<Executor> (*make)();  ///< Null: not in this build.
};

constexpr Row kExecutors[] = {
    {"threads", make_threads_executor},
    {"serial", make_serial_executor},
#ifdef RECHUNK_MPI
    {"mpi", make_mpi_executor},
#else
    {"mpi", nullptr},
#endif
};

}  // namespace

std::unique_ptr<Executor> make_executor(std::string_view name) {
  std::string known;
  for (const Row& row : kExecutors) {
    known += (known.empty() ? "" : ", ") + std::string(row.name);
    if (row.name != name) continue;
    if (row.make) return row.make();
    throw Error(ErrorKind::kUnsupported,
                "choosing an executor: this build has no " + std::string(name),
                "build with `cmake -DRECHUNK_MPI=ON`");
  }
  throw Error(ErrorKind::kInvalidArgument,
              "choosing an executor: \"" + std::string(name) + "\" is none",
              "there are " + known);
}

}  // namespace rechunk
