#include "store/near_server.h"

#include <memory>
#include <utility>

#include "http/client.h"

namespace rechunk {

http::Answer ask_near_server(std::string method, std::string url,
                             http::Headers headers) {
  http::Client client({.requests = 1,
                       .connect_time = std::chrono::seconds(1),
                       .idle_time = std::chrono::seconds(5),
                       .retry_time = std::chrono::seconds(2),
                       .uses_proxy = false},
                      std::make_shared<http::PlainService>());
  http::Transfer transfer{.method = std::move(method),
                          .target = std::move(url),
                          .headers = std::move(headers)};
  client.run(transfer);
  return std::move(transfer.answer);
}

bool is_good(const http::Answer& answer) {
  return answer.status == 200 && answer.failure.empty();
}

}  // namespace rechunk
