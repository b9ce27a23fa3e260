// A connected socket of this machine, read through a buffer.
//
// Each connection belongs to one thread. What breaks it throws Broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

/// The peer is gone, or said something that is not HTTP.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  /// Owns the socket.
  explicit Connection(int socket);
  /// Connects to a port of this machine. Throws: Broken.
  static Connection to_port(std::uint16_t port);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  /// The head of a message with its blank line. Nothing if the peer closed
  /// the connection before its first byte. Throws: Broken.
  std::optional<std::string> read_head();
  /// Up to `most` bytes, valid until the next call; empty if the peer closed.
  std::string_view read_some(std::size_t most);
  /// One line with its end. Throws: Broken.
  std::string read_line();

  void send(std::string_view bytes);

  /// Whether the peer still holds it and has said nothing.
  bool is_quiet() const;

  /// Closes it so that the peer sees a reset. Bytes on their way may be lost.
  void abort();

 private:
  bool fill();  // False if the peer closed.
  std::optional<std::string> read_until(std::string_view mark);

  int socket_ = -1;
  std::string buffer_;
  std::size_t start_ = 0;  // Of what is not yet read in the buffer.
  std::size_t end_ = 0;
};
