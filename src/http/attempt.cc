#include "http/attempt.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "http/url_text.h"
#include "rechunk/error.h"

namespace rechunk::http {
namespace {

constexpr int kOk = 200, kPartial = 206;

std::string trusted_certificates(const Settings& settings) {
  if (!settings.ca_bundle.empty()) return settings.ca_bundle;
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
    if (const char* path = std::getenv(name); path != nullptr && *path != '\0')
      return path;
  return {};
}

// Connections that broke, and servers that were slow.
bool is_passing(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_SEND_FAIL_REWIND:
      return true;
    default:
      return false;
  }
}

bool is_unreachable(CURLcode code) {
  return code == CURLE_COULDNT_RESOLVE_HOST ||
         code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_SSL_CONNECT_ERROR;
}

}  // namespace

Attempt::Attempt(Transfer& transfer, const Request& request,
                 const Settings& settings)
    : transfer_(transfer), easy_(curl_easy_init()) {
  if (!easy_) throw Error(ErrorKind::kIo, "starting a transfer: no memory");
  const int attempts = transfer.answer.attempts;
  transfer.answer = {};
  transfer.answer.attempts = attempts;
  set_up(request, settings);
}

void Attempt::set_up(const Request& request, const Settings& settings) {
  CURL* const easy = easy_.get();
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    curl_slist* const longer = curl_slist_append(list, line.c_str());
    if (longer == nullptr) {
      curl_slist_free_all(list);
      throw Error(ErrorKind::kIo, "starting a transfer: no memory");
    }
    list = longer;
  };
  add("Expect:");  // Waiting for "100 Continue" costs a round trip.
  for (const auto& [name, value] : request.headers) add(name + ": " + value);
  headers_.reset(list);

  const auto set = [easy](CURLoption option, auto value) {
    curl_easy_setopt(easy, option, value);
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, curl_says_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PATH_AS_IS, 1L);  // A key may have "..".
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, "rechunk");
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings.connect_time.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.idle_time.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_FRESH_CONNECT, transfer_.needs_new_connection ? 1L : 0L);
  // Each connection has these, and they do not count as payload.
  constexpr long kBufferBytes = 32 << 10;
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  if (!settings.uses_proxy) set(CURLOPT_NOPROXY, "*");
  if (const std::string path = trusted_certificates(settings); !path.empty())
    set(CURLOPT_CAINFO, path.c_str());

  set(CURLOPT_HEADERFUNCTION, &Attempt::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Attempt::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set_up_body();
}

void Attempt::set_up_body() {
  CURL* const easy = easy_.get();
  const std::string& method = transfer_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (method == "PUT" || method == "POST") {
    // With a length even if it is 0: some servers ask for it.
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(transfer_.body_bytes()));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Attempt::on_send);
    curl_easy_setopt(easy, CURLOPT_READDATA, static_cast<void*>(this));
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &Attempt::on_rewind);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, static_cast<void*>(this));
  } else if (method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

std::size_t Attempt::on_header(char* data, std::size_t, std::size_t bytes,
                               void* self) {
  static_cast<Attempt*>(self)->take_header({data, bytes});
  return bytes;
}

std::size_t Attempt::on_body(char* data, std::size_t, std::size_t bytes,
                             void* self) {
  return static_cast<Attempt*>(self)->take_body({data, bytes});
}

std::size_t Attempt::on_send(char* data, std::size_t, std::size_t bytes,
                             void* self) {
  return static_cast<Attempt*>(self)->send(data, bytes);
}

int Attempt::on_rewind(void* self, curl_off_t offset, int origin) {
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  auto& attempt = *static_cast<Attempt*>(self);
  attempt.sent_part_ = attempt.sent_bytes_ = 0;
  return CURL_SEEKFUNC_OK;
}

void Attempt::take_header(std::string_view line) {
  constexpr std::size_t kMostHeaders = 100, kLongestHeader = 4 << 10;
  Answer& answer = transfer_.answer;
  if (line.starts_with("HTTP/")) {  // Also after "100 Continue".
    answer.headers.clear();
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos ||
      answer.headers.size() >= kMostHeaders || line.size() > kLongestHeader)
    return;
  std::string name(line.substr(0, colon));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  answer.headers.emplace_back(std::move(name),
                              shown(line.substr(colon + 1), kLongestHeader));
}

bool Attempt::wants_range() const {
  const int status = transfer_.answer.status;
  return transfer_.offset && (status == kOk || status == kPartial);
}

std::size_t Attempt::take_body(std::string_view bytes) {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer_.answer.status = static_cast<int>(status);
  if (!wants_range()) return take_text(bytes);
  if (!began_ && !begin_range()) return 0;
  return scatter(bytes);
}

std::size_t Attempt::take_text(std::string_view bytes) {
  constexpr std::size_t kLongestError = 64 << 10;
  Answer& answer = transfer_.answer;
  const bool is_good = answer.status < 300;
  const std::size_t room =
      (is_good ? transfer_.max_text : kLongestError) - answer.text.size();
  if (bytes.size() > room && is_good)
    return refuse("the answer is too long"), 0;
  answer.text += bytes.substr(0, room);
  return bytes.size();
}

bool Attempt::refuse(std::string why) {
  transfer_.answer.failure = std::move(why);
  return false;
}

// Where in the object the body begins. A server may send the whole object
// instead of the range; then the bytes before the range are passed over.
bool Attempt::begin_range() {
  Answer& answer = transfer_.answer;
  const std::int64_t offset = *transfer_.offset;
  began_ = true;
  if (answer.status == kPartial) {
    const auto range = parse_content_range(answer.header("content-range"));
    if (!range || range->first < 0)
      return refuse("the server sent a part and does not say which");
    if (range->total < 0)
      return refuse("the server does not say how long the object is");
    answer.object_bytes = range->total;
    const std::int64_t first =
        offset >= 0 ? offset : std::max<std::int64_t>(0, range->total + offset);
    if (range->first != first)
      return refuse("the server sent another part than it was asked for");
    return true;
  }
  if (const auto total = parse_count(answer.header("content-length")))
    answer.object_bytes = *total;
  if (offset < 0 && answer.object_bytes < 0)
    return refuse("the server knows neither ranges nor the object's size");
  skip_ = offset >= 0 ? offset
                      : std::max<std::int64_t>(0, answer.object_bytes + offset);
  return true;
}

std::size_t Attempt::scatter(std::string_view bytes) {
  const std::size_t count = bytes.size();
  const auto skipped = std::min(static_cast<std::size_t>(skip_), bytes.size());
  skip_ -= static_cast<std::int64_t>(skipped);
  bytes.remove_prefix(skipped);
  while (!bytes.empty()) {
    if (sink_ == transfer_.sinks.size()) {
      // Of the last bytes all come, also if only the first of them are wanted.
      if (transfer_.answer.status == kPartial && *transfer_.offset >= 0)
        return refuse("the server sent more than it was asked for"), 0;
      has_enough_ = true;
      return 0;  // Ends the transfer.
    }
    const Sink& sink = transfer_.sinks[sink_];
    const std::size_t taken = std::min(bytes.size(), sink.bytes - sink_at_);
    if (sink.data != nullptr)
      std::memcpy(sink.data + sink_at_, bytes.data(), taken);
    sink_at_ += taken;
    transfer_.answer.bytes += static_cast<std::int64_t>(taken);
    bytes.remove_prefix(taken);
    if (sink_at_ == sink.bytes) {
      ++sink_;
      sink_at_ = 0;
    }
  }
  return count;
}

std::size_t Attempt::send(char* data, std::size_t bytes) {
  std::size_t copied = 0;
  while (copied < bytes && sent_part_ < transfer_.body.size()) {
    const auto& part = transfer_.body[sent_part_];
    const std::size_t count =
        std::min(bytes - copied, part.size() - sent_bytes_);
    if (count > 0) std::memcpy(data + copied, part.data() + sent_bytes_, count);
    copied += count;
    sent_bytes_ += count;
    if (sent_bytes_ == part.size()) {
      ++sent_part_;
      sent_bytes_ = 0;
    }
  }
  return copied;
}

void Attempt::finish(CURLcode code) {
  Answer& answer = transfer_.answer;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  if (code == CURLE_OK || has_enough_) return check_range();
  if (!answer.failure.empty()) return;  // Ours; libcurl says "write error".
  answer.failure = shown(curl_says_[0] != '\0' ? curl_says_.data()
                                               : curl_easy_strerror(code));
  answer.is_passing = is_passing(code);
  answer.is_unreachable = is_unreachable(code);
  answer.is_mute =
      status == 0 && (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
                      code == CURLE_SEND_ERROR);
}

// Fewer bytes than the range has, although the transfer ended well.
void Attempt::check_range() {
  Answer& answer = transfer_.answer;
  const auto length = parse_count(answer.header("content-length"));
  if (!wants_range()) {
    if (transfer_.method == "HEAD" && length) answer.object_bytes = *length;
    if (const auto range = parse_content_range(answer.header("content-range")))
      answer.object_bytes = range->total;
    return;
  }
  if (!began_ && !begin_range()) return;
  // Without a length the end of the connection is the end of the object.
  if (answer.status == kOk && answer.object_bytes < 0 && !has_enough_)
    answer.object_bytes = *transfer_.offset - skip_ + answer.bytes;
  if (answer.object_bytes < 0) return;
  const std::int64_t first =
      *transfer_.offset >= 0
          ? *transfer_.offset
          : std::max<std::int64_t>(0, answer.object_bytes + *transfer_.offset);
  const std::int64_t expected = std::clamp<std::int64_t>(
      answer.object_bytes - first, 0, transfer_.sink_bytes());
  if (answer.bytes == expected) return;
  answer.failure = "the connection ended after " +
                   std::to_string(answer.bytes) + " of " +
                   std::to_string(expected) + " bytes";
  answer.is_passing = true;
}

}  // namespace rechunk::http
