#include "http/client.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <stdexcept>

#include "http/testing.h"

namespace rechunk::http {
namespace {

constexpr std::string_view kObject = "0123456789abcdefghij";

/// Reads ranges of one URL.
class ClientTest : public testing::Test {
 protected:
  static Settings settings() {
    return {.retry_time = std::chrono::seconds(5), .uses_proxy = false};
  }

  Transfer range(const TestServer& server, std::int64_t offset,
                 std::size_t bytes) {
    buffer_.assign(bytes, std::byte{0});
    return {.target = server.url() + "/object",
            .offset = offset,
            .sinks = {{buffer_.data(), bytes}}};
  }
  std::string text() const {
    return {reinterpret_cast<const char*>(buffer_.data()), buffer_.size()};
  }

  std::vector<std::byte> buffer_;
  Client client_{settings(), std::make_shared<PlainService>()};
};

TEST_F(ClientTest, ReadsRangesAlsoFromServersWithoutThem) {
  for (const bool knows_ranges : {true, false}) {
    TestServer server([&](const Asked& asked) {
      return knows_ranges ? reply_range(asked, kObject) : reply(200, kObject);
    });
    for (const std::int64_t offset : {0, 7, 15, -5}) {
      Transfer transfer = range(server, offset, 5);
      client_.run(transfer);
      EXPECT_EQ(transfer.answer.failure, "");
      const auto first =
          offset < 0 ? kObject.size() - 5 : static_cast<std::size_t>(offset);
      EXPECT_EQ(text(), kObject.substr(first, 5));
      EXPECT_EQ(transfer.answer.object_bytes, 20);
    }
    Transfer beyond = range(server, 18, 5);
    client_.run(beyond);
    EXPECT_EQ(beyond.answer.failure, "");
    EXPECT_EQ(beyond.answer.bytes, 2);
  }
}

// Each fault comes twice, then a good answer.
TEST_F(ClientTest, AsksAgainAfterFaultsThatPass) {
  const std::string head =
      "HTTP/1.1 206 so\r\nContent-Range: bytes 3-7/20\r\n"
      "Content-Length: 5\r\n\r\n";
  const std::vector<Reply> faults = {
      {.bytes = head + "34", .closes = true},
      {.bytes = head + "34", .resets = true},
      {.bytes = "", .closes = true},
      {.bytes = "", .resets = true},
      {.bytes = "HTTP/1.1 2", .closes = true},
      reply(503, "busy"),
      reply(429),
      reply(500, "<html>"),
      reply(408),
      // Shorter than the part that it names.
      reply(206, "34", "Content-Range: bytes 3-7/20\r\n"),
  };
  for (const Reply& fault : faults) {
    std::atomic<int> requests = 0;
    TestServer server([&](const Asked& asked) {
      return requests++ < 2 ? fault : reply_range(asked, kObject);
    });
    Transfer transfer = range(server, 3, 5);
    client_.run(transfer);
    EXPECT_EQ(transfer.answer.failure, "") << fault.bytes;
    EXPECT_EQ(text(), "34567") << fault.bytes;
    EXPECT_GE(transfer.answer.attempts, 3);
  }
}

TEST_F(ClientTest, DoesNotAskAgainWhereItCannotHelp) {
  const std::vector<std::pair<Reply, std::string>> answers = {
      {reply(206, "34567x", "Content-Range: bytes 3-8/20\r\n"), "more than"},
      {reply(206, "01234", "Content-Range: bytes 0-4/20\r\n"), "another part"},
      {reply(206, "34567"), "does not say which"},
      {reply(206, "34567", "Content-Range: bytes 3-7/4\r\n"), "say which"},
      {reply(206, "34567", "Content-Range: bytes 3-7/*\r\n"), "how long"},
      {reply(404, "none"), ""},
      {reply(403), ""},
      {reply(501), ""},
      {reply(302, "", "Location: http://127.0.0.1:1/\r\n"), ""},
  };
  for (const auto& [answer, cause] : answers) {
    TestServer server([&](const Asked&) { return answer; });
    Transfer transfer = range(server, 3, 5);
    client_.run(transfer);
    EXPECT_EQ(server.asked().size(), 1) << answer.bytes;
    EXPECT_NE(transfer.answer.failure.find(cause), std::string::npos)
        << transfer.answer.failure;
    EXPECT_EQ(transfer.answer.failure.empty(), cause.empty());
  }
}

TEST_F(ClientTest, GivesUpInTime) {
  TestServer server([](const Asked&) { return reply(503); });
  Client client({.retry_time = std::chrono::seconds(1), .uses_proxy = false},
                std::make_shared<PlainService>());
  Transfer transfer = range(server, 0, 5);
  const auto start = Clock::now();
  client.run(transfer);
  EXPECT_EQ(transfer.answer.status, 503);
  EXPECT_GT(transfer.answer.attempts, 2);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(2));
}

TEST_F(ClientTest, ObeysRetryAfter) {
  std::atomic<int> requests = 0;
  TestServer server([&](const Asked& asked) {
    return requests++ == 0 ? reply(503, "", "Retry-After: 1\r\n")
                           : reply_range(asked, kObject);
  });
  Transfer transfer = range(server, 0, 5);
  const auto start = Clock::now();
  client_.run(transfer);
  EXPECT_EQ(text(), "01234");
  EXPECT_GE(Clock::now() - start, std::chrono::seconds(1));
}

TEST_F(ClientTest, CutsTextsOfErrorsAndRefusesLongAnswers) {
  const std::string long_text(200'000, 'x');
  for (const int status : {200, 404}) {
    TestServer server([&](const Asked&) { return reply(status, long_text); });
    Transfer transfer{.target = server.url()};
    client_.run(transfer);
    EXPECT_EQ(transfer.answer.failure.empty(), status == 404);
    EXPECT_LE(transfer.answer.text.size(), 64 << 10);
  }
}

// Memory of a batch belongs to whoever made it as soon as the batch is gone.
TEST_F(ClientTest, TakesBackWhatIsInFlight) {
  std::atomic<int> requests = 0;
  TestServer server([&](const Asked& asked) {
    if (requests++ > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return reply_range(asked, kObject);
  });
  {
    std::vector<std::byte> bytes(20 * 5);
    std::vector<Transfer> transfers(20);
    Batch batch(client_);
    for (std::size_t at = 0; at < transfers.size(); ++at) {
      transfers[at].target = server.url() + "/" + std::to_string(at);
      transfers[at].offset = 0;
      transfers[at].sinks = {{bytes.data() + 5 * at, 5}};
      batch.start(transfers[at]);
    }
    EXPECT_NE(batch.next(), nullptr);
  }
  Transfer transfer = range(server, 5, 5);
  client_.run(transfer);
  EXPECT_EQ(text(), "56789");
}

TEST_F(ClientTest, WorksInAForkedProcess) {
  TestServer server(
      [](const Asked& asked) { return reply_range(asked, kObject); });
  Transfer before = range(server, 0, 5);
  client_.run(before);
  const pid_t child = fork();
  if (child == 0) {
    Transfer within = range(server, 5, 5);
    client_.run(within);
    _exit(within.answer.failure.empty() && text() == "56789" ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  Transfer later = range(server, 10, 5);
  client_.run(later);
  EXPECT_EQ(text(), "abcde");
}

// Those that wait in a batch for their turn have all their time before them.
TEST_F(ClientTest, CountsTheTimeOfATransferFromItsFirstAttempt) {
  Client client({.requests = 1,
                 .retry_time = std::chrono::seconds(1),
                 .uses_proxy = false},
                std::make_shared<PlainService>());
  std::atomic<int> last = 0;
  TestServer server([&](const Asked& asked) {
    if (asked.target == "/last" && last++ == 0) return reply(500);
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    return reply(200, "good");
  });
  std::vector<Transfer> transfers(4);
  Batch batch(client);
  for (std::size_t at = 0; at < transfers.size(); ++at) {
    transfers[at].target = server.url() + (at == 3 ? "/last" : "/");
    batch.start(transfers[at]);
  }
  while (Transfer* done = batch.next()) EXPECT_EQ(done->answer.text, "good");
  EXPECT_EQ(last, 2);
}

}  // namespace
}  // namespace rechunk::http
