// The executors of this build. Each factory has a file of its own.
#pragma once

#include <memory>

#include "rechunk/executor.h"

namespace rechunk {

std::unique_ptr<Executor> make_serial_executor();
std::unique_ptr<Executor> make_threads_executor();
/// Joins the processes that mpirun started. Only with RECHUNK_MPI.
std::unique_ptr<Executor> make_mpi_executor();

}  // namespace rechunk
