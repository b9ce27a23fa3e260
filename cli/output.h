// What the command line prints: plans, tables, numbers and errors as people
// read them, and JSON where it is asked for.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/rechunk.h"

namespace rechunk::cli {

/// Colours, where they are wanted: a terminal, and NO_COLOR is not set.
struct Style {
  bool colour = false;
  std::string bold(std::string_view text) const;
  std::string red(std::string_view text) const;
  std::string cyan(std::string_view text) const;
};
Style style_of(std::FILE* stream);

/// The text with control characters as escapes ("\x1b"): names come from files,
/// and a terminal would obey them.
std::string printable(std::string_view text);

/// Rows of cells, printable, aligned in columns three spaces apart. A column is
/// as wide as its widest cell in characters; colours belong to whole rows, not
/// here.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// The lines on the existing target that a job writes into, in the plan's
/// columns.
std::string describe_parts(const Job& job);

/// Prints notes to stderr, one line each.
void print_notes(const Notes& notes);

struct PlanView {
  bool explain = false;         ///< All reasons of the planner.
  std::size_t max_arrays = 64;  ///< The smaller ones are counted.
  Style style;
};

/// A plan for people, some lines per array.
std::string describe_plan(const Plan& plan, const PlanView& view);

/// A run for people: bytes, seconds, rate, peak memory.
std::string describe_report(const Plan& plan, const Report& report);

std::string format_seconds(double seconds);  ///< "0.8 s", "2 min 5 s".

/// "float32" of "<f4"; names that are not numpy's stay as they are.
std::string describe_dtype(const std::string& dtype);

/// Writes to stdout. A reader that went away is not an error.
/// Throws: io.
void write_stdout(std::string_view text);

/// "error: message", and the hint, if there is one, below, both printable; to
/// stderr.
void print_error(const Error& error);
void print_error(std::string_view message, std::string_view hint);

/// The same for a warning: "warning: message".
void print_warning(const Error& error);
void print_warning(std::string_view message, std::string_view hint);

}  // namespace rechunk::cli
