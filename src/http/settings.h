// How a client reaches its server.
#pragma once

#include <chrono>
#include <string>

namespace rechunk::http {

struct Settings {
  int requests = 64;  ///< In flight at a time, at most.
  std::chrono::seconds connect_time{10};
  /// A transfer that moves no byte for so long has failed.
  std::chrono::seconds idle_time{60};
  /// All attempts of a transfer together.
  std::chrono::seconds retry_time{120};
  /// Certificates of those who are trusted; "": as CURL_CA_BUNDLE or
  /// SSL_CERT_FILE say, else those of the system.
  std::string ca_bundle;
  bool uses_proxy = true;  ///< As http_proxy, https_proxy and no_proxy say.
};

}  // namespace rechunk::http
