// The subcommands. Each takes the words of its command line, writes data to
// stdout and everything else to stderr, and returns the exit code: 0 done, 1
// the answer is no. Throws: UsageError (nothing was done), Error.
#pragma once

#include "cli/flags.h"

namespace rechunk::cli {

int run_plan(const Arguments& arguments);     ///< Prints a plan.
int run_run(const Arguments& arguments);      ///< Plans and runs.
int run_resume(const Arguments& arguments);   ///< Completes a run.
int run_status(const Arguments& arguments);   ///< Shows its progress.
int run_discard(const Arguments& arguments);  ///< Removes what a run left.
int run_verify(const Arguments& arguments);   ///< Compares; 1: different.
int run_info(const Arguments& arguments);     ///< Lists arrays.
int run_task(const Arguments& arguments);     ///< Runs tasks of a saved plan.
int run_commit(const Arguments& arguments);   ///< Completes its run.

}  // namespace rechunk::cli
