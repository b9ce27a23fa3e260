#include "http/transfer.h"

#include <charconv>

namespace rechunk::http {

std::string_view Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::int64_t Transfer::body_bytes() const {
  std::size_t bytes = 0;
  for (const auto& part : body) bytes += part.size();
  return static_cast<std::int64_t>(bytes);
}

std::int64_t Transfer::sink_bytes() const {
  std::size_t bytes = 0;
  for (const Sink& sink : sinks) bytes += sink.bytes;
  return static_cast<std::int64_t>(bytes);
}

std::string range_header(const Transfer& transfer) {
  const std::int64_t first = *transfer.offset;
  if (first < 0) return "bytes=" + std::to_string(first);
  return "bytes=" + std::to_string(first) + "-" +
         std::to_string(first + transfer.sink_bytes() - 1);
}

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (text.empty() || stop != end || code != std::errc() || value < 0)
    return std::nullopt;
  return value;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view range = text.substr(0, slash);
  ContentRange found;
  if (const std::string_view total = text.substr(slash + 1); total != "*") {
    const auto count = parse_count(total);
    if (!count) return std::nullopt;
    found.total = *count;
  }
  if (range == "*") return found;
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_count(range.substr(0, dash));
  const auto last = parse_count(range.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  if (found.total >= 0 && *last >= found.total) return std::nullopt;
  found.first = *first;
  found.last = *last;
  return found;
}

}  // namespace rechunk::http
