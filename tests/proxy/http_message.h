// HTTP/1.1 messages, as far as one who passes them on must understand them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connection.h"

/// The head of a request or an answer.
class Head {
 public:
  /// `text` ends with its blank line. Throws: Broken.
  explicit Head(std::string text);

  const std::string& text() const { return text_; }
  /// A word of the first line: method, target and version of a request; version
  /// and status of an answer.
  std::string_view word(int index) const;
  int status() const;
  /// The value of a field, whatever the case of its name; "" if there is none.
  std::string_view field(std::string_view name) const;
  /// The text without that field.
  std::string text_without(std::string_view name) const;

 private:
  // Where the line of a field is in the text.
  struct Line {
    std::size_t start, bytes;
  };
  std::optional<Line> line(std::string_view name) const;

  std::string text_;
};

/// How one knows where a body ends.
struct Framing {
  enum class Kind { kLength, kChunked, kUntilClose } kind = Kind::kLength;
  std::int64_t bytes = 0;  // Of kLength.
};

Framing request_framing(const Head& request);
Framing answer_framing(const Head& answer, bool to_head_request);

/// The body of a message, as it came: the sizes of chunks are a part of it.
class Body {
 public:
  Body(Connection& from, Framing framing) : from_(from), framing_(framing) {}

  /// The next bytes, valid until the next call; empty at the end.
  /// Throws: Broken, if the sender closed too early.
  std::string_view next();

 private:
  std::string_view next_of_chunks();

  Connection& from_;
  Framing framing_;
  std::string line_;
  std::int64_t chunk_bytes_ = 0;  // What is left, with its end of line.
  bool in_trailer_ = false, ended_ = false;
};
