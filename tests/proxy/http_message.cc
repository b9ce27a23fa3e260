#include "http_message.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::int64_t number(std::string_view digits, int base) {
  std::int64_t value = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (value < 0) throw Broken("not a number: " + std::string(digits));
  return value;
}

bool is_chunked(const Head& head) {
  return same_name(head.field("transfer-encoding"), "chunked");
}

}  // namespace

Head::Head(std::string text) : text_(std::move(text)) {
  if (word(1).empty()) throw Broken("not HTTP: " + text_.substr(0, 40));
}

std::string_view Head::word(int index) const {
  std::string_view rest(text_);
  rest = rest.substr(0, rest.find("\r\n"));
  for (; index > 0; --index) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return {};
    rest.remove_prefix(space + 1);
  }
  return rest.substr(0, rest.find(' '));
}

int Head::status() const { return static_cast<int>(number(word(1), 10)); }

std::optional<Head::Line> Head::line(std::string_view name) const {
  std::size_t start = text_.find("\r\n") + 2;
  while (start < text_.size()) {
    const auto next = text_.find("\r\n", start) + 2;
    const auto colon = text_.find(':', start);
    const std::string_view all(text_);
    if (colon < next && same_name(all.substr(start, colon - start), name)) {
      return Line{start, next - start};
    }
    start = next;
  }
  return std::nullopt;
}

std::string_view Head::field(std::string_view name) const {
  const auto found = line(name);
  if (!found) return {};
  std::string_view value(text_);
  value = value.substr(found->start + name.size() + 1,
                       found->bytes - name.size() - 3);
  const auto first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return value.substr(first, value.find_last_not_of(" \t") + 1 - first);
}

std::string Head::text_without(std::string_view name) const {
  auto text = text_;
  if (const auto found = line(name)) text.erase(found->start, found->bytes);
  return text;
}

Framing request_framing(const Head& request) {
  if (is_chunked(request)) return {Framing::Kind::kChunked};
  const auto length = request.field("content-length");
  return {Framing::Kind::kLength, length.empty() ? 0 : number(length, 10)};
}

Framing answer_framing(const Head& answer, bool to_head_request) {
  const int status = answer.status();
  if (to_head_request || status == 204 || status == 304 || status < 200) {
    return {};
  }
  if (is_chunked(answer)) return {Framing::Kind::kChunked};
  const auto length = answer.field("content-length");
  if (length.empty()) return {Framing::Kind::kUntilClose};
  return {Framing::Kind::kLength, number(length, 10)};
}

std::string_view Body::next() {
  if (framing_.kind == Framing::Kind::kChunked) return next_of_chunks();
  if (framing_.kind == Framing::Kind::kUntilClose) {
    return from_.read_some(std::string::npos);
  }
  if (framing_.bytes == 0) return {};
  const auto some = from_.read_some(static_cast<std::size_t>(framing_.bytes));
  if (some.empty()) throw Broken("closed within a body");
  framing_.bytes -= static_cast<std::int64_t>(some.size());
  return some;
}

std::string_view Body::next_of_chunks() {
  if (ended_) return {};
  if (chunk_bytes_ > 0) {
    const auto some = from_.read_some(static_cast<std::size_t>(chunk_bytes_));
    if (some.empty()) throw Broken("closed within a chunk");
    chunk_bytes_ -= static_cast<std::int64_t>(some.size());
    return some;
  }
  line_ = from_.read_line();
  if (in_trailer_) {
    ended_ = line_ == "\r\n";
    return line_;
  }
  const auto bytes = number(line_, 16);
  in_trailer_ = bytes == 0;
  chunk_bytes_ = in_trailer_ ? 0 : bytes + 2;
  return line_;
}
