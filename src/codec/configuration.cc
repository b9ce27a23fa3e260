#include "codec/configuration.h"

#include <fmt/format.h>

namespace rechunk {

Configuration::Configuration(const CodecSpec& spec) : name_(spec.name) {
  const std::string& text = spec.configuration;
  values_ = nlohmann::json::parse(text.empty() ? "{}" : text, nullptr,
                                  /*allow_exceptions=*/false);
  if (!values_.is_object())
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("reading the configuration of codec {}: it is not "
                            "a JSON object",
                            name_));
}

std::int64_t Configuration::integer(const char* key, std::int64_t fallback,
                                    IntegerRange range) const {
  const nlohmann::json* value = find(key);
  if (!value) return fallback;
  const auto wanted =
      fmt::format("an integer from {} to {}", range.min, range.max);
  if (!value->is_number_integer()) refuse(key, wanted);
  // Beyond 2^63 the conversion would wrap to a negative number.
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    refuse(key, wanted);
  const auto number = value->get<std::int64_t>();
  if (number < range.min || number > range.max) refuse(key, wanted);
  return number;
}

double Configuration::number(const char* key, double fallback) const {
  const nlohmann::json* value = find(key);
  if (!value) return fallback;
  if (!value->is_number()) refuse(key, "a number");
  return value->get<double>();
}

std::string Configuration::text(const char* key,
                                std::string_view fallback) const {
  const nlohmann::json* value = find(key);
  if (!value) return std::string(fallback);
  if (!value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

bool Configuration::boolean(const char* key, bool fallback) const {
  const nlohmann::json* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

bool Configuration::holds_text(const char* key) const {
  const nlohmann::json* value = find(key);
  return value && value->is_string();
}

void Configuration::refuse(const char* key, const std::string& wanted) const {
  const auto given = values_[key].dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  throw Error(ErrorKind::kInvalidArgument,
              fmt::format("making codec {}: \"{}\" is {}, expected {}", name_,
                          key, given, wanted));
}

const nlohmann::json* Configuration::find(const char* key) const {
  const auto found = values_.find(key);
  return found == values_.end() || found->is_null() ? nullptr : &*found;
}

Error corrupt_data(std::string_view codec, std::string_view cause) {
  return {ErrorKind::kCorrupt, fmt::format("{}: {}", codec, cause)};
}

void check_fits(std::string_view codec, std::uint64_t decoded_bytes,
                std::size_t capacity_bytes) {
  if (decoded_bytes > capacity_bytes)
    throw corrupt_data(codec,
                       fmt::format("decodes to {} bytes, expected at most {}",
                                   decoded_bytes, capacity_bytes));
}

void check_not_empty(std::string_view codec,
                     std::span<const std::byte> encoded) {
  if (encoded.empty())
    throw corrupt_data(codec, "there are no bytes to decode");
}

}  // namespace rechunk
