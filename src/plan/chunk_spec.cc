#include "plan/chunk_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/byte_size.h"
#include "rechunk/error.h"

namespace rechunk {
namespace {

constexpr const char* kForms =
    "a list (2000,10,10), names (time=all,lat=10), all, auto and auto:100MB";

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorKind::kInvalidArgument, message,
              "the forms are " + forms("chunks", kForms));
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return {};
  return value;
}

/// "(2000, 10)" -> "2000, 10", and "(5,)" -> "5" as Python prints one length.
std::string_view without_brackets(std::string_view text) {
  text = trim(text);
  const bool round = text.starts_with('(') && text.ends_with(')');
  const bool square = text.starts_with('[') && text.ends_with(']');
  if (text.size() < 2 || !(round || square)) return text;
  text = trim(text.substr(1, text.size() - 2));
  if (text.ends_with(',')) text.remove_suffix(1);
  return text;
}

/// The next comma that separates parts; npos: there is none.
std::size_t find_comma(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == ',')
      return at;
  }
  return std::string_view::npos;
}

/// A name without the backslashes before commas and backslashes.
std::string unescaped(std::string_view name) {
  std::string text;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] == '\\' && at + 1 < name.size() &&
        (name[at + 1] == ',' || name[at + 1] == '\\'))
      ++at;
    text += name[at];
  }
  return text;
}

/// Reads the parts of one spec; knows the whole text, for messages.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  ChunkSpec parse(std::int64_t auto_bytes) {
    std::string_view rest = without_brackets(text_);
    if (rest.empty()) fail(fmt::format("reading chunks \"{}\": empty", text_));
    for (bool more = true; more;) {
      const auto comma = find_comma(rest);
      more = comma != std::string_view::npos;
      add(trim(rest.substr(0, comma)));
      if (more) rest = rest.substr(comma + 1);
    }
    if (!spec_.by_name.empty() && !spec_.by_position.empty())
      fail(
          fmt::format("reading chunks \"{}\": named and unnamed dimensions "
                      "are mixed",
                      text_));
    lift_single_word();
    spec_.auto_bytes = auto_bytes_.value_or(auto_bytes);
    return spec_;
  }

 private:
  [[noreturn]] void refuse(std::string_view part, std::string_view cause) {
    fail(fmt::format("reading chunks \"{}\": \"{}\" {}", text_, part, cause));
  }

  void add(std::string_view part) {
    // Names may hold "=", lengths cannot.
    const auto equals = part.rfind('=');
    if (equals == std::string_view::npos) {
      spec_.by_position.push_back(parse_length(part));
      return;
    }
    const std::string name = unescaped(trim(part.substr(0, equals)));
    if (name.empty()) refuse(part, "has no name before the =");
    for (const auto& [known, length] : spec_.by_name)
      if (known == name) refuse(name, "is given twice");
    spec_.by_name.emplace_back(name,
                               parse_length(trim(part.substr(equals + 1))));
  }

  ChunkLength parse_length(std::string_view part) {
    if (part == "all" || part == "-1") return {ChunkLength::Kind::kAll, 0};
    if (part == "auto") return {ChunkLength::Kind::kAuto, 0};
    if (part.starts_with("auto:")) {
      set_auto_bytes(part);
      return {ChunkLength::Kind::kAuto, 0};
    }
    const auto length = parse_integer(part);
    if (!length) refuse(part, "is not a length");
    if (*length < 1) refuse(part, "is less than 1");
    return {ChunkLength::Kind::kLength, *length};
  }

  void set_auto_bytes(std::string_view part) {
    const std::int64_t bytes = with_context(
        [&] { return parse_byte_size(part.substr(5)); },
        [&] { return fmt::format("reading chunks \"{}\"", text_); });
    if (bytes < 1) refuse(part, "is a size of nothing");
    if (auto_bytes_ && *auto_bytes_ != bytes)
      refuse(part, "differs from the size before it");
    auto_bytes_ = bytes;
  }

  /// "all" and "auto" alone speak of every axis, not of a single one.
  void lift_single_word() {
    if (spec_.by_position.size() != 1) return;
    if (spec_.by_position[0].kind == ChunkLength::Kind::kLength) return;
    spec_.everywhere = spec_.by_position[0];
    spec_.by_position.clear();
  }

  std::string_view text_;
  ChunkSpec spec_;
  std::optional<std::int64_t> auto_bytes_;
};

/// The axis that a name means: a dimension's name, or else its number.
std::optional<std::size_t> find_axis(const std::string& name,
                                     const ChunkContext& context) {
  const auto& names = context.dimension_names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) {
    const auto axis = static_cast<std::size_t>(found - names.begin());
    if (axis < context.shape.size()) return axis;
  }
  const auto number = parse_integer(name);
  if (!number || *number < 0 ||
      *number >= static_cast<std::int64_t>(context.shape.size()))
    return {};
  return static_cast<std::size_t>(*number);
}

[[noreturn]] void fail_unknown_name(const std::string& name,
                                    const ChunkContext& context) {
  if (context.dimension_names.empty())
    fail(
        fmt::format("choosing chunks: no dimension \"{}\"; the {} dimensions "
                    "of the array have no names, write their numbers",
                    name, context.shape.size()));
  fail(fmt::format("choosing chunks: no dimension \"{}\"; there are {}", name,
                   fmt::join(context.dimension_names, ", ")));
}

/// What the spec says of each axis; nothing if the current chunk is kept.
std::vector<std::optional<ChunkLength>> lengths_by_axis(
    const ChunkSpec& spec, const ChunkContext& context) {
  const std::size_t rank = context.shape.size();
  std::vector<std::optional<ChunkLength>> lengths(rank, spec.everywhere);
  if (spec.everywhere) return lengths;
  if (!spec.by_position.empty()) {
    if (spec.by_position.size() != rank)
      fail(
          fmt::format("choosing chunks: {} given for {} dimensions of shape "
                      "{}",
                      spec.by_position.size(), rank, to_string(context.shape)));
    return {spec.by_position.begin(), spec.by_position.end()};
  }
  for (const auto& [name, length] : spec.by_name) {
    const auto axis = find_axis(name, context);
    if (!axis) fail_unknown_name(name, context);
    // A name and a number may mean the same axis.
    if (lengths[*axis])
      fail(fmt::format("choosing chunks: dimension {} is given twice", name));
    lengths[*axis] = length;
  }
  return lengths;
}

/// True if the product of all lengths is at most `limit`; cannot overflow.
bool fits(const Shape& lengths, std::int64_t limit) {
  for (std::int64_t length : lengths) limit /= length;
  return limit >= 1;
}

/// Lengths of the axes cut into `cuts` parts each, or into single elements.
Shape cut(const Shape& axes, std::int64_t cuts) {
  Shape lengths = axes;
  for (std::int64_t& length : lengths)
    length = ceil_div(length, std::min(length, cuts));
  return lengths;
}

/// The same number of cuts for every axis, or one more for some: each such
/// step at most halves the chunk, so that it ends above half the limit.
Shape cut_to_fit(const Shape& axes, std::int64_t limit) {
  if (axes.empty() || fits(axes, limit)) return axes;
  std::int64_t too_few = 1;
  std::int64_t enough = *std::max_element(axes.begin(), axes.end());
  // More cuts never make a chunk larger, so this halves the choices.
  while (enough - too_few > 1) {
    const std::int64_t middle = too_few + (enough - too_few) / 2;
    (fits(cut(axes, middle), limit) ? enough : too_few) = middle;
  }
  Shape lengths = cut(axes, too_few);
  const Shape shorter = cut(axes, enough);
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (fits(lengths, limit)) break;
    lengths[axis] = shorter[axis];
  }
  return lengths;
}

/// Sets the axes of "auto", which are 0, given all others.
void choose_auto(std::int64_t auto_bytes, const ChunkContext& context,
                 Shape& chunks) {
  std::int64_t limit =
      auto_bytes / std::max<std::int64_t>(1, context.item_bytes);
  Shape axes;
  for (std::size_t axis = 0; axis < chunks.size(); ++axis) {
    // Axes with a length leave the rest of the size to the others.
    if (chunks[axis] != 0)
      limit /= chunks[axis];
    else
      axes.push_back(std::max<std::int64_t>(1, context.shape[axis]));
  }
  const Shape lengths = cut_to_fit(axes, std::max<std::int64_t>(1, limit));
  auto next = lengths.begin();
  for (std::int64_t& chunk : chunks)
    if (chunk == 0) chunk = *next++;
}

}  // namespace

ChunkSpec parse_chunk_spec(std::string_view text, std::int64_t auto_bytes) {
  return Parser(text).parse(auto_bytes);
}

bool applies_to(const ChunkSpec& spec, const ChunkContext& context) {
  if (spec.everywhere) return true;
  if (spec.by_name.empty())
    return spec.by_position.size() == context.shape.size();
  return std::any_of(
      spec.by_name.begin(), spec.by_name.end(),
      [&](const auto& named) { return find_axis(named.first, context); });
}

std::int64_t length_of(const ChunkSpec& spec, const std::string& dimension) {
  for (const auto& [name, length] : spec.by_name)
    if (name == dimension && length.kind == ChunkLength::Kind::kLength)
      return length.length;
  return 0;
}

Shape explicit_lengths(const ChunkSpec& spec, const ChunkContext& context) {
  Shape lengths(context.shape.size(), 0);
  if (!applies_to(spec, context)) return lengths;
  const auto given = lengths_by_axis(restricted_to(spec, context), context);
  for (std::size_t axis = 0; axis < lengths.size(); ++axis)
    if (given[axis] && given[axis]->kind == ChunkLength::Kind::kLength)
      lengths[axis] = given[axis]->length;
  return lengths;
}

ChunkSpec restricted_to(const ChunkSpec& spec, const ChunkContext& context) {
  ChunkSpec known = spec;
  std::erase_if(known.by_name, [&](const auto& named) {
    return !find_axis(named.first, context);
  });
  return known;
}

Shape resolve_chunks(const ChunkSpec& spec, const ChunkContext& context) {
  const auto lengths = lengths_by_axis(spec, context);
  Shape chunks(context.shape.size());
  bool any_auto = false;
  for (std::size_t axis = 0; axis < chunks.size(); ++axis) {
    const std::int64_t whole = std::max<std::int64_t>(1, context.shape[axis]);
    if (!lengths[axis])
      chunks[axis] = std::max<std::int64_t>(1, context.current_chunks[axis]);
    else if (lengths[axis]->kind == ChunkLength::Kind::kAll)
      chunks[axis] = whole;
    else if (lengths[axis]->kind == ChunkLength::Kind::kLength)
      chunks[axis] = lengths[axis]->length;
    else
      any_auto = true;
  }
  if (any_auto) choose_auto(spec.auto_bytes, context, chunks);
  return chunks;
}

}  // namespace rechunk
