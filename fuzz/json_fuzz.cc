// The JSON scanner: what it takes must come out of every function as the same
// value, and it must take what a strict parser takes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "input.h"
#include "json/raw_json.h"
#include "targets.h"

namespace rechunk::fuzz {
namespace {

constexpr std::ptrdiff_t kMaxDepth = 512;

/// True where both parsers must agree: a byte order mark and what follows a
/// zero byte only the other one takes.
bool is_comparable(std::string_view input) {
  const auto brackets = std::count_if(
      input.begin(), input.end(), [](char c) { return c == '[' || c == '{'; });
  return brackets < kMaxDepth && input.find('\0') == std::string_view::npos &&
         !input.starts_with("\xef");
}

void use_object(std::string_view value) {
  const auto members = raw_json::members(value, raw_json::Duplicates::kAllow);
  for (const auto& member : members) {
    const auto found = raw_json::find(value, member.key);
    require(found.has_value(), "a member is not found by its key");
  }
  const std::string with = raw_json::with_member(value, "new", "[1]");
  require(raw_json::find(with, "new") == "[1]", "a new member is not there");
  const std::string without = raw_json::without_member(with, "new");
  require(!raw_json::find(raw_json::parse(without), "new"),
          "a removed member is there");
  succeeds([&] { raw_json::members(value); });
}

void use_scalar(std::string_view value) {
  const auto integer = raw_json::as_integer(value);
  const auto natural = raw_json::as_unsigned(value);
  if (integer && natural)
    require(static_cast<std::uint64_t>(*integer) == *natural,
            "an integer has two values");
  raw_json::as_number(value);
  raw_json::excerpt(value);
  if (const auto text = raw_json::as_string(value))
    require(
        raw_json::as_string(raw_json::parse(raw_json::quote(*text))) == *text,
        "a string changes when it is quoted");
}

void use(std::string_view value) {
  const std::string canonical = raw_json::canonical(value);
  require(raw_json::canonical(raw_json::parse(canonical)) == canonical,
          "the canonical form is not canonical");
  const std::string indented = raw_json::indented(value, 0);
  require(raw_json::canonical(raw_json::parse(indented)) == canonical,
          "the indented form is another value");
  if (raw_json::is_object(value)) use_object(value);
  if (raw_json::is_list(value))
    for (const auto element : raw_json::elements(value)) use_scalar(element);
  use_scalar(value);
}

}  // namespace

void fuzz_json(std::string_view input) {
  std::string_view value;
  const bool taken = succeeds([&] { value = raw_json::parse(input); });
  if (!taken && is_comparable(input))
    require(!nlohmann::json::accept(input), "valid JSON is refused");
  if (taken) use(value);
}

}  // namespace rechunk::fuzz
