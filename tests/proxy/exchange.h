// Serves one client: its requests, one after the other, and their answers.
#pragma once

#include <cstdint>

#include "connection.h"
#include "counts.h"
#include "faults.h"
#include "network.h"

/// What all connections share.
struct Proxy {
  std::uint16_t server_port = 0;
  Network network;
  Faults faults;
  Counts counts;
};

/// Returns when the client or a fault has closed the connection.
void serve(Connection client, Proxy& proxy);
