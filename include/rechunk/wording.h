// How texts for people name what their reader can set or do.
//
// The library does not know what its caller types: `--max-memory 2GiB` on the
// command line, `max_mem="2GiB"` in Python. So its texts name a member of
// `Options`, between marks:
//
//   Error(kind, cause, option("max_memory", "2GiB") + " would do")
//
// Error::what() and hint() show it in plain words: "max_memory 2GiB would do".
// A caller who spells it in another way says how (`Speller`).
// All functions may be called from any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rechunk {

/// What a text names between marks.
struct Mention {
  enum class Kind {
    kOption,  ///< Of `Options`; the value is what it is, or should be, set to.
    kAction,  ///< What a caller can do; the value is the place to do it at.
    kForms,   ///< How values of an option are written as text.
  };
  Kind kind = Kind::kOption;
  std::string name;
  std::string value;  ///< "" where the text names none; "true" of switches.
};

/// An option by its name in `Options`; alone, set to a text or number, or
/// switched on (`option_on`).
std::string option(std::string_view name, std::string_view value = {});
std::string option_on(std::string_view name);
/// "resume", "discard", "info", "plan", "task": the commands of that name, and
/// what callers have instead of them.
std::string action(std::string_view name, std::string_view place = {});
/// The forms of an option's values, as this library reads them.
std::string forms(std::string_view name, std::string_view text);

/// How a caller spells what texts name.
using Speller = std::function<std::string(const Mention&)>;

/// The speller for texts that another process will spell: keeps the marks.
std::string with_marks(const Mention& mention);

/// The text without marks. An empty speller uses plain words.
std::string spelled(std::string_view text, const Speller& speller = {});

/// The first option that a text names; "" if it names none.
std::string first_option(std::string_view text);

}  // namespace rechunk
