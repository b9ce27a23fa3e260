#include "store/http_store.h"

#include <utility>

#include "http/client.h"
#include "http/url_text.h"
#include "rechunk/error.h"
#include "store/http_service.h"
#include "store/remote_reads.h"

namespace rechunk {
namespace {

constexpr int kWhoAreYou = 401, kMayNot = 403;

class HttpStore final : public ReadOnlyStore, private RemoteObjects {
 public:
  HttpStore(HttpPlace place, std::shared_ptr<http::Client> client,
            std::string root)
      : ReadOnlyStore("a web server"),
        place_(std::move(place)),
        client_(std::move(client)),
        root_(std::move(root)) {}

  void read_many(std::span<ReadRequest> requests,
                 const OnRead& on_done) const override {
    read_remote(*client_, *this, requests, on_done);
  }
  Medium medium() const override {
    return {.requests = place_.requests,
            .latency_seconds = 0.05,
            .bytes_per_second = 100e6,
            .is_remote = true};
  }
  bool can_list() const override { return false; }
  void scan(std::string_view prefix, const VisitListed&) const override {
    throw Error(ErrorKind::kUnsupported,
                "listing " + describe(prefix) +
                    ": a web server does not say what it has");
  }
  std::string describe(std::string_view key) const override {
    return join_key(place_.base, join_key(root_, key));
  }
  std::shared_ptr<Store> below(std::string_view key) const override {
    return std::make_shared<HttpStore>(place_, client_, join_key(root_, key));
  }

 private:
  // RemoteObjects
  std::string target(std::string_view key) const override;
  bool is_absent(const http::Answer& answer) const override {
    constexpr int kMissing = 404, kGone = 410;
    if (!answer.failure.empty()) return false;
    return answer.status == kMissing || answer.status == kGone ||
           (answer.status == kMayNot && place_.forbidden_is_missing);
  }
  Error error(std::string_view action, std::string_view key,
              const http::Answer& answer) const override;

  const HttpPlace place_;
  const std::shared_ptr<http::Client> client_;
  const std::string root_;
};

std::string HttpStore::target(std::string_view key) const {
  const std::string whole = join_key(root_, key);
  const std::string between = "/" + whole + "/";
  for (const char* wrong : {"//", "/./", "/../"})
    if (!whole.empty() && between.find(wrong) != std::string::npos)
      throw Error(ErrorKind::kInvalidArgument,
                  describe("") + ": the key \"" + std::string(key) +
                      "\" leaves the store, or is none");
  return place_.base + "/" + http::percent_encoded(whole, true);
}

Error HttpStore::error(std::string_view action, std::string_view key,
                       const http::Answer& answer) const {
  std::string hint;
  if (answer.status == kWhoAreYou) {
    hint =
        "the storage options username and password, or bearer_token, say "
        "who you are";
  } else if (answer.status == kMayNot) {
    hint =
        "if this server answers so where nothing is, set the storage option "
        "forbidden_is_missing=true; else check the storage options username "
        "and password, or bearer_token";
  } else if (answer.is_unreachable) {
    hint = "check the URL and the network";
  }
  return Error(
      ErrorKind::kIo,
      std::string(action) + " " + describe(key) + ": " + cause_of(answer),
      hint);
}

}  // namespace

std::shared_ptr<Store> open_http(const std::string& url,
                                 const StorageOptions& options) {
  const HttpPlace place = parse_http_place(url, options);
  return std::make_shared<HttpStore>(
      place,
      std::make_shared<http::Client>(http::Settings{.requests = place.requests},
                                     std::make_shared<HttpService>(place)),
      "");
}

}  // namespace rechunk
