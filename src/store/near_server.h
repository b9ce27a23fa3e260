// Servers that give credentials to the container or the machine on which they
// are.
#pragma once

#include <string>

#include "http/transfer.h"

namespace rechunk {

/// They are near: who does not answer soon is not there. They are never behind
/// a proxy, which would see the credentials. Throws: io (no memory).
http::Answer ask_near_server(std::string method, std::string url,
                             http::Headers headers);

/// True for an answer with what was asked for.
bool is_good(const http::Answer& answer);

}  // namespace rechunk
