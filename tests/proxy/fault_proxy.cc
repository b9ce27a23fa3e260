// A proxy that stands between a client and a server of this machine, slows
// requests down, breaks some of them on purpose, and counts them all.
//
//   fault_proxy SERVER_PORT [LISTEN_PORT [COMMAND...]]
//
// The first line on stdout is {"port": N}. Then it reads commands from stdin,
// one per line, and answers each with a line of JSON. It ends when stdin ends.
//
//   latency SECONDS          each request waits so long before it is sent on
//   bandwidth BYTES          per second and direction, for all together; 0: any
//   seed N                   of the faults that come by chance
//   fault KIND [NAME=VALUE]  adds a rule (faults.h); the first that hits counts
//   no_faults                removes all rules
//   counts                   totals since the start or `clear`
//   log                      one object per request, in the order of their ends
//   clear
//
// It passes `Host` on as it came: signatures of S3 contain it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "exchange.h"

namespace {

constexpr int kBacklog = 1024;

/// Runs one line. Returns its answer.
/// Throws: std::exception, if the line makes no sense.
std::string run_command(const std::string& line, Proxy& proxy) {
  const auto space = line.find(' ');
  const auto name = line.substr(0, space);
  const auto rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (name == "counts") return proxy.counts.totals();
  if (name == "log") return proxy.counts.log();
  if (name == "clear") {
    proxy.counts.clear();
  } else if (name == "latency") {
    proxy.network.latency_seconds = std::stod(rest);
  } else if (name == "bandwidth") {
    proxy.network.to_server.set_bytes_per_second(std::stod(rest));
    proxy.network.to_client.set_bytes_per_second(std::stod(rest));
  } else if (name == "seed") {
    proxy.faults.seed(std::stoull(rest));
  } else if (name == "fault") {
    proxy.faults.add(parse_rule(rest));
  } else if (name == "no_faults") {
    proxy.faults.clear();
  } else {
    throw std::invalid_argument("no command is called " + name);
  }
  return "{}";
}

struct Listener {
  int socket;
  std::uint16_t port;
};

Listener listen_on(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t bytes = sizeof address;
  if (::bind(socket, generic, bytes) != 0 || ::listen(socket, kBacklog) != 0 ||
      ::getsockname(socket, generic, &bytes) != 0) {
    throw std::runtime_error("cannot listen on port " + std::to_string(port));
  }
  return {socket, ntohs(address.sin_port)};
}

void accept_all(int socket, Proxy& proxy) {
  while (true) {
    const int client = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {  // No sockets are left: some will be closed.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    std::thread([client, &proxy] {
      serve(Connection(client), proxy);
    }).detach();
  }
}

void obey_stdin(Proxy& proxy) {
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      std::cout << run_command(line, proxy) << std::endl;
    } catch (const std::exception& error) {
      std::cout << nlohmann::json{{"error", error.what()}}.dump() << std::endl;
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("SERVER_PORT is missing");
  // Threads of connections use it until the process ends.
  auto& proxy = *new Proxy;
  proxy.server_port = static_cast<std::uint16_t>(std::stoi(argv[1]));
  const int port = argc > 2 ? std::stoi(argv[2]) : 0;
  for (int i = 3; i < argc; ++i) run_command(argv[i], proxy);
  const auto listener = listen_on(static_cast<std::uint16_t>(port));
  std::thread([&] { accept_all(listener.socket, proxy); }).detach();
  std::cout << nlohmann::json{{"port", listener.port}}.dump() << std::endl;
  obey_stdin(proxy);
  std::_Exit(0);
} catch (const std::exception& error) {
  std::fprintf(stderr, "fault_proxy: %s\n", error.what());
  return 2;
}
