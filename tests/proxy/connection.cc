#include "connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace {

constexpr std::size_t kBufferBytes = 256 << 10;
constexpr std::size_t kLongestHead = 64 << 10;

[[noreturn]] void broken(const char* action) {
  throw Broken(std::string(action) + ": " + std::strerror(errno));
}

}  // namespace

Connection::Connection(int socket) : socket_(socket) {
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  buffer_.resize(kBufferBytes);
}

Connection Connection::to_port(std::uint16_t port) {
  Connection made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(made.socket_, generic, sizeof address) != 0) broken("connect");
  return made;
}

Connection::Connection(Connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      buffer_(std::move(other.buffer_)),
      start_(other.start_),
      end_(other.end_) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(buffer_, other.buffer_);
  std::swap(start_, other.start_);
  std::swap(end_, other.end_);
  return *this;
}

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

bool Connection::fill() {
  if (start_ == end_) start_ = end_ = 0;
  if (end_ == buffer_.size()) {
    std::copy(buffer_.begin() + start_, buffer_.end(), buffer_.begin());
    end_ -= start_;
    start_ = 0;
  }
  ssize_t count = 0;
  do {
    count = ::recv(socket_, buffer_.data() + end_, buffer_.size() - end_, 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) broken("receive");
  end_ += static_cast<std::size_t>(count);
  return count > 0;
}

std::optional<std::string> Connection::read_until(std::string_view mark) {
  while (true) {
    const std::string_view unread(buffer_.data() + start_, end_ - start_);
    const auto at = unread.find(mark);
    if (at != std::string_view::npos) {
      std::string found(unread.substr(0, at + mark.size()));
      start_ += found.size();
      return found;
    }
    if (unread.size() > kLongestHead) throw Broken("a head without an end");
    if (fill()) continue;
    if (unread.empty()) return std::nullopt;
    throw Broken("closed within a head");
  }
}

std::optional<std::string> Connection::read_head() {
  return read_until("\r\n\r\n");
}

std::string Connection::read_line() {
  auto line = read_until("\r\n");
  if (!line) throw Broken("closed before a line");
  return *std::move(line);
}

std::string_view Connection::read_some(std::size_t most) {
  if (start_ == end_ && !fill()) return {};
  const auto count = std::min(most, end_ - start_);
  const std::string_view some(buffer_.data() + start_, count);
  start_ += count;
  return some;
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count =
        ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) broken("send");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Connection::is_quiet() const {
  char byte = 0;
  if (start_ != end_) return false;
  const auto count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(socket_, -1));
}
