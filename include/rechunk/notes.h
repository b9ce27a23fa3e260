// What users should know about a job: a reader may see something else in the
// target than in the source, or cannot read it, or an array keeps its layout.
// Texts may name options, as those of errors do (wording.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/wording.h"

namespace rechunk {

/// One sentence, and the arrays that it is about.
struct Note {
  std::string kind;  ///< One word for scripts, with underscores: "fill_value".
  std::vector<std::string> arrays;  ///< By path; empty: the whole hierarchy.
  std::string text;                 ///< Without a full stop.
};

/// An array that keeps its layout, although the user asked for another one.
struct NotRechunked {
  std::string name;
  std::string cause;  ///< What cannot be decoded: "numcodecs.pcodec".
};

/// With `Options::strict` a job that has notes fails.
struct Notes {
  std::vector<NotRechunked> not_rechunked;
  std::vector<Note> notes;

  bool empty() const { return not_rechunked.empty() && notes.empty(); }

  /// Adds a note on an array ("": the root array, or the whole hierarchy).
  /// Arrays with the same kind and text share one note.
  void add(std::string_view kind, const std::string& array,
           std::string_view text);
  void add(const Notes& others);
};

/// One line for each note: "not rechunked: t, u (numcodecs.pcodec)" and
/// "note: TEXT: a, b, c". A line names only the first arrays.
/// Marks of options stay: `spelled` replaces them.
std::vector<std::string> to_lines(const Notes& notes);

}  // namespace rechunk
