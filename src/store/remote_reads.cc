#include "store/remote_reads.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "base/content_hash.h"
#include "http/url_text.h"

namespace rechunk {
namespace {

// A gap costs its bytes, another request costs its latency.
constexpr std::int64_t kWidestGap = 256 << 10;
// Longer reads go faster as several requests.
constexpr std::int64_t kLongestRead = 4 << 20;

std::int64_t bytes_wanted(const ReadRequest& request) {
  std::size_t bytes = 0;
  for (const auto& part : request.destination) bytes += part.size();
  return static_cast<std::int64_t>(bytes);
}

/// Requests that one transfer answers.
struct Read {
  std::vector<ReadRequest*> parts;  ///< In order; they do not overlap.
  std::int64_t end = 0;             ///< Behind the last byte.
  http::Transfer transfer;
};

class Reads {
 public:
  Reads(http::Client& client, const RemoteObjects& objects,
        const OnRead& on_done)
      : objects_(objects), on_done_(on_done), batch_(client) {}

  void run(std::span<ReadRequest> requests);

 private:
  void ask(const std::vector<ReadRequest*>& requests);
  Read& free_read();
  void start(Read& read);
  void finish(Read& read);
  bool needs_size(Read& read);
  void ask_size(Read& read);
  void fill_in(const Read& read, ReadRequest& request) const;

  const RemoteObjects& objects_;
  const OnRead& on_done_;
  std::deque<Read> reads_;  ///< Their addresses stay.
  std::vector<std::size_t> free_;
  http::Batch batch_;  ///< After the reads: it stops before they go.
};

bool continues(const Read& read, const ReadRequest& request) {
  const ReadRequest& first = *read.parts.front();
  return first.key == request.key && first.offset >= 0 &&
         request.offset >= read.end &&
         request.offset - read.end <= kWidestGap &&
         request.offset + bytes_wanted(request) - first.offset <= kLongestRead;
}

void Reads::run(std::span<ReadRequest> requests) {
  std::vector<ReadRequest*> all;
  for (ReadRequest& request : requests) all.push_back(&request);
  ask(all);
  while (http::Transfer* done = batch_.next()) finish(reads_[done->number]);
}

// Neighbours in one object become one transfer.
void Reads::ask(const std::vector<ReadRequest*>& requests) {
  std::vector<ReadRequest*> sorted, others;
  for (ReadRequest* request : requests) {
    const bool has_range = request->offset >= 0 && bytes_wanted(*request) > 0;
    (has_range ? sorted : others).push_back(request);
  }
  // Mostly they come in order; then this keeps it.
  std::stable_sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) {
    return std::pair(std::string_view(a->key), a->offset) <
           std::pair(std::string_view(b->key), b->offset);
  });
  std::vector<Read*> all;
  for (ReadRequest* request : sorted) {
    if (all.empty() || !continues(*all.back(), *request))
      all.push_back(&free_read());
    all.back()->parts.push_back(request);
    all.back()->end = request->offset + bytes_wanted(*request);
  }
  for (ReadRequest* request : others) {
    all.push_back(&free_read());
    all.back()->parts.push_back(request);
  }
  for (Read* read : all) start(*read);
}

Read& Reads::free_read() {
  if (free_.empty()) {
    free_.push_back(reads_.size());
    reads_.emplace_back().transfer.number = free_.back();
  }
  Read& read = reads_[free_.back()];
  free_.pop_back();
  read.parts.clear();
  return read;
}

void Reads::start(Read& read) {
  const ReadRequest& first = *read.parts.front();
  http::Transfer& transfer = read.transfer;
  transfer.target = objects_.target(first.key);
  transfer.method = "GET";
  transfer.offset = first.offset;
  transfer.sinks.clear();
  std::int64_t at = first.offset;
  for (const ReadRequest* part : read.parts) {
    if (part->offset > at)
      transfer.sinks.push_back(
          {nullptr, static_cast<std::size_t>(part->offset - at)});
    for (const auto& span : part->destination)
      if (!span.empty()) transfer.sinks.push_back({span.data(), span.size()});
    at = part->offset + bytes_wanted(*part);
  }
  if (transfer.sinks.empty()) return ask_size(read);
  batch_.start(transfer);
}

// Nothing is at that place of the object, and the server did not say how long
// the object is.
bool Reads::needs_size(Read& read) {
  if (objects_.size_beside_range(read.transfer.answer) >= 0) return false;
  ask_size(read);
  return true;
}

void Reads::ask_size(Read& read) {
  const std::size_t number = read.transfer.number;
  read.transfer = objects_.size_question(read.parts.front()->key);
  read.transfer.number = number;
  batch_.start(read.transfer);
}

void Reads::finish(Read& read) {
  constexpr int kOk = 200, kPartial = 206, kBeyond = 416;
  const http::Answer& answer = read.transfer.answer;
  const bool is_good = answer.failure.empty() &&
                       (answer.status == kOk || answer.status == kPartial);
  const bool is_beyond = answer.status == kBeyond && read.transfer.offset;
  if (!is_good && !is_beyond && !objects_.is_absent(answer))
    throw objects_.error("reading", read.parts.front()->key, answer);
  if (is_beyond && needs_size(read)) return;
  if (is_good && answer.object_bytes < 0) {
    http::Answer unclear = answer;
    unclear.failure = "the server does not say how long the object is";
    throw objects_.error("reading", read.parts.front()->key, unclear);
  }
  // The answer is used up when the first of them is asked again.
  for (ReadRequest* part : read.parts) fill_in(read, *part);
  const std::vector<ReadRequest*> parts = std::move(read.parts);
  free_.push_back(read.transfer.number);
  if (!on_done_) return;
  std::vector<ReadRequest*> again;
  for (ReadRequest* part : parts)
    if (on_done_(*part)) again.push_back(part);
  ask(again);
}

void Reads::fill_in(const Read& read, ReadRequest& request) const {
  const http::Answer& answer = read.transfer.answer;
  request.found = !objects_.is_absent(answer);
  request.bytes_read = request.object_bytes = request.version = 0;
  if (!request.found) return;
  request.version = version_of(answer);
  const bool has_range = answer.status == 200 || answer.status == 206;
  request.object_bytes =
      has_range ? answer.object_bytes : objects_.size_beside_range(answer);
  // A negative offset is alone in its transfer.
  const std::int64_t before =
      request.offset < 0 ? 0 : request.offset - read.parts.front()->offset;
  request.bytes_read =
      std::clamp<std::int64_t>(answer.bytes - before, 0, bytes_wanted(request));
}

}  // namespace

void read_remote(http::Client& client, const RemoteObjects& objects,
                 std::span<ReadRequest> requests, const OnRead& on_done) {
  if (requests.empty()) return;
  Reads(client, objects, on_done).run(requests);
}

std::int64_t version_of(const http::Answer& answer) {
  // Google's tags change with metadata, too.
  std::string_view mark = answer.header("x-goog-generation");
  if (mark.empty()) mark = answer.header("etag");
  if (mark.empty()) mark = answer.header("last-modified");
  if (mark.empty()) return 0;
  // Marks in plans and journals have no sign; 0 is for what is not known.
  const auto hash = static_cast<std::int64_t>(
      content_hash(mark, {}) & std::numeric_limits<std::int64_t>::max());
  return hash == 0 ? 1 : hash;
}

bool is_web_page(const http::Answer& answer) {
  std::string start = answer.text.substr(0, 200);
  for (char& c : start)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return start.find("<html") != std::string::npos ||
         start.find("<!doctype") != std::string::npos ||
         answer.header("content-type").starts_with("text/html");
}

std::string cause_of(const http::Answer& answer) {
  if (!answer.failure.empty()) return answer.failure;
  return "the server answered HTTP status " + std::to_string(answer.status);
}

}  // namespace rechunk
