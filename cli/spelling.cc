#include "cli/spelling.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace rechunk::cli {
namespace {

/// Options and actions that the command calls by another name.
struct OtherName {
  std::string_view name, here;
};
constexpr OtherName kOtherNames[] = {
    {"array_chunks", "--array"},
    {"array_codecs", "--array-codec"},
    {"nan_attributes_as_text", "--nan-attributes text"},
    {"save", "plan --save"},
};

std::string name_of(const Mention& mention) {
  const auto other =
      std::find_if(std::begin(kOtherNames), std::end(kOtherNames),
                   [&](const auto& row) { return row.name == mention.name; });
  if (other != std::end(kOtherNames)) return std::string(other->here);
  if (mention.kind == Mention::Kind::kAction) return mention.name;
  std::string flag = "--" + mention.name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

}  // namespace

std::string in_flags(const Mention& mention) {
  if (mention.kind == Mention::Kind::kForms) return mention.value;
  const bool has_value = !mention.value.empty() && mention.value != "true";
  const std::string words =
      name_of(mention) + (has_value ? " " + mention.value : "");
  return mention.kind == Mention::Kind::kAction ? "`rechunk " + words + "`"
                                                : words;
}

}  // namespace rechunk::cli
