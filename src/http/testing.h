// An HTTP server for tests, in the process of the test. It sends what the test
// says, byte for byte, so it also does what no good server does.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "http/transfer.h"

namespace rechunk::http {

/// What a client asked. Names of headers are in lower case.
struct Asked {
  std::string method, target, body;
  Headers headers;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
};

struct Reply {
  std::string bytes;    ///< With the status line and the headers.
  bool closes = false;  ///< The connection, after these bytes.
  bool resets = false;  ///< Closes it as a machine does that died.
};

/// A whole answer with its length. `headers` are lines that end with "\r\n".
inline Reply reply(int status, std::string_view body = {},
                   std::string_view headers = {}) {
  std::string bytes =
      "HTTP/1.1 " + std::to_string(status) + " so\r\n" + std::string(headers) +
      "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return {.bytes = bytes + std::string(body)};
}

/// The answer to a range of an object, as good servers give it.
inline Reply reply_range(const Asked& asked, std::string_view object,
                         std::string_view headers = {}) {
  std::string range = asked.header("range");
  if (!range.starts_with("bytes=")) return reply(200, object, headers);
  range.erase(0, 6);
  const auto dash = range.find('-');
  const std::size_t size = object.size();
  const bool is_suffix = dash == 0;
  const std::size_t number = std::stoull(range.substr(is_suffix ? 1 : 0));
  const std::size_t first = is_suffix ? size - std::min(size, number) : number;
  const std::size_t last =
      is_suffix ? size - 1
                : std::min<std::size_t>(size - 1,
                                        std::stoull(range.substr(dash + 1)));
  if (first >= size)
    return reply(416, "",
                 "Content-Range: bytes */" + std::to_string(size) + "\r\n");
  return reply(206, object.substr(first, last - first + 1),
               std::string(headers) + "Content-Range: bytes " +
                   std::to_string(first) + "-" + std::to_string(last) + "/" +
                   std::to_string(size) + "\r\n");
}

/// Calls `answer` for each request, on threads of its own.
class TestServer {
 public:
  using Answerer = std::function<Reply(const Asked&)>;

  explicit TestServer(Answerer answer)
      : answer_(std::move(answer)), socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, raw, bytes) != 0 || listen(socket_, 64) != 0 ||
        getsockname(socket_, raw, &bytes) != 0)
      throw std::runtime_error("no port for a test's server");
    port_ = ntohs(address.sin_port);
    listener_ = std::jthread([this] { take_connections(); });
  }
  ~TestServer() {
    shutdown(socket_, SHUT_RDWR);
    listener_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
    }
    threads_.clear();
    for (const int connection : connections_) close(connection);
    close(socket_);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }
  std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void take_connections() {
    for (;;) {
      const int connection = accept(socket_, nullptr, nullptr);
      if (connection < 0) return;
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) {
    std::string came;
    for (Asked asked; read_request(connection, came, asked); asked = {}) {
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(asked);
      }
      const Reply made = answer_(asked);
      std::string_view left = made.bytes;
      while (!left.empty()) {
        const ssize_t sent =
            send(connection, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        left.remove_prefix(static_cast<std::size_t>(sent));
      }
      if (made.resets) return reset(connection);
      if (made.closes) {
        shutdown(connection, SHUT_RDWR);
        return;
      }
    }
  }

  // A socket that closes without lingering sends a reset. Another one takes
  // its number, so that nothing else gets that.
  static void reset(int connection) {
    const linger at_once{1, 0};
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    const int other = socket(AF_INET, SOCK_STREAM, 0);
    dup2(other, connection);
    close(other);
  }

  static bool read_more(int connection, std::string& came) {
    char buffer[65536];
    const ssize_t count = recv(connection, buffer, sizeof(buffer), 0);
    if (count <= 0) return false;
    came.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  static bool read_request(int connection, std::string& came, Asked& asked) {
    std::size_t end = 0;
    while ((end = came.find("\r\n\r\n")) == std::string::npos)
      if (!read_more(connection, came)) return false;
    std::string_view head = std::string_view(came).substr(0, end + 2);
    const auto next_line = [&head] {
      const auto at = head.find("\r\n");
      const std::string_view line = head.substr(0, at);
      head.remove_prefix(at + 2);
      return line;
    };
    const std::string_view first = next_line();
    const auto blank = first.find(' ');
    asked.method = first.substr(0, blank);
    asked.target = first.substr(blank + 1, first.rfind(' ') - blank - 1);
    while (!head.empty()) {
      const std::string_view line = next_line();
      const auto colon = line.find(':');
      std::string name(line.substr(0, colon));
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      asked.headers.emplace_back(name, line.substr(colon + 2));
    }
    const std::string length = asked.header("content-length");
    const std::size_t bytes = length.empty() ? 0 : std::stoull(length);
    came.erase(0, end + 4);
    while (came.size() < bytes)
      if (!read_more(connection, came)) return false;
    asked.body = came.substr(0, bytes);
    came.erase(0, bytes);
    return true;
  }

  const Answerer answer_;
  const int socket_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::vector<int> connections_;
  std::list<std::jthread> threads_;
  std::jthread listener_;
};

}  // namespace rechunk::http
