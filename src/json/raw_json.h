// JSON as text: checks the syntax and cuts a document into verbatim slices.
//
// Metadata has values that are lost in doubles and maps: bare NaN tokens
// (Python writes them), integers beyond 64 bits, NaN payloads, key order. So
// documents are never re-serialised. Members that rechunk interprets are read
// from their slice; everything else is copied unchanged.
//
// Beyond RFC 8259 the bare tokens NaN, Infinity and -Infinity are accepted.
// Slices point into the text that was given. Pure functions; all throw corrupt
// where the text is not such JSON, is nested deeper than 512 levels, or where
// more than a million items would have to be taken apart.
// Part: raw_json_edit.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rechunk::raw_json {

/// One member of an object: the key, unescaped, the value as it stands, and
/// the whole member from the key's quote to the value's end.
struct Member {
  std::string key;
  std::string_view text;
  std::string_view whole;
};

/// Checks a whole document, which must be UTF-8; its value without the white
/// space around it.
std::string_view parse(std::string_view document);

/// The members in order. Duplicate keys are refused, since readers disagree on
/// which of them counts; `kAllow` is for text that is only passed on.
enum class Duplicates { kRefuse, kAllow };
std::vector<Member> members(std::string_view object,
                            Duplicates duplicates = Duplicates::kRefuse);

/// The elements of a list.
std::vector<std::string_view> elements(std::string_view list);

// The first character tells what a valid value is.
bool is_object(std::string_view value);
bool is_list(std::string_view value);
bool is_string(std::string_view value);
bool is_number(std::string_view value);  ///< Bare NaN and Infinity excluded.

/// The value if the slice is a string (unescaped; a lone surrogate becomes the
/// three bytes it would have in UTF-8).
std::optional<std::string> as_string(std::string_view value);

/// The value if the slice is a whole number that fits: 3, also 3.0 and 3e2.
std::optional<std::int64_t> as_integer(std::string_view value);
std::optional<std::uint64_t> as_unsigned(std::string_view value);

/// The value if the slice is a number, nearest double; NaN and infinities too.
std::optional<double> as_number(std::string_view value);

/// The value of the first member of that name.
std::optional<std::string_view> find(std::string_view object,
                                     std::string_view key);

/// The same as it stands; `fallback` if there is none, or it is null.
std::string value_or(std::string_view object, std::string_view key,
                     std::string_view fallback);

/// A JSON string token for UTF-8 text.
std::string quote(std::string_view text);

/// The same value in one spelling: sorted keys, no white space, no needless
/// escapes. Equal texts mean equal values; numbers compare as written.
std::string canonical(std::string_view value);

/// The same tokens with an indent of 2, for a value at `depth` levels. A list
/// without lists or objects stays on one line.
std::string indented(std::string_view value, int depth);

/// The object without / with a member, all other bytes untouched.
std::string without_member(std::string_view object, std::string_view key);
std::string with_member(std::string_view object, std::string_view key,
                        std::string_view value);

/// True if the value contains NaN or Infinity, which strict readers refuse.
bool has_bare_names(std::string_view value);

/// The same value with "NaN", "Infinity" and "-Infinity" as strings for them.
std::string with_names_as_text(std::string_view value);

/// For messages: the slice, shortened.
std::string excerpt(std::string_view value);

/// True for valid UTF-8, without surrogates and needlessly long forms.
bool is_utf8(std::string_view text);

}  // namespace rechunk::raw_json
