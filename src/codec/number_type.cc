#include "codec/number_type.h"

#include <utility>

namespace rechunk {
namespace {

// Of numbers of this machine.
constexpr std::pair<std::string_view, std::string_view> kTypeNames[] = {
    {"bool", "=b1"},   {"int8", "=i1"},    {"int16", "=i2"},  {"int32", "=i4"},
    {"int64", "=i8"},  {"uint8", "=u1"},   {"uint16", "=u2"}, {"uint32", "=u4"},
    {"uint64", "=u8"}, {"float32", "=f4"}, {"float64", "=f8"}};

}  // namespace

std::optional<NumberType> parse_number_type(std::string_view text) {
  for (const auto& [name, short_name] : kTypeNames)
    if (text == name) return parse_number_type(short_name);
  if (text.size() != 3) return std::nullopt;
  const std::string_view kind = text.substr(1);
  const bool is_native = text[0] == '=' || kind[1] == '1';
  const bool is_big = text[0] == '>';
  for (const char* known :
       {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"})
    if (kind == known)
      return NumberType{
          kind[0] == 'b' ? 'u' : kind[0], kind[1] - '0',
          !is_native && is_big != (std::endian::native == std::endian::big)};
  return std::nullopt;
}

}  // namespace rechunk
