// A client of one HTTP server or kind of servers: many requests at a time,
// their bytes straight into the caller's memory, failed ones repeated.
//
//   Batch batch(client);
//   for (Transfer& transfer : transfers) batch.start(transfer);
//   while (Transfer* done = batch.next()) use(done->answer);
//
// One thread per client moves bytes; it starts with the first transfer. A
// process that was forked starts its own. Everything else (signing, pauses,
// what answers mean) happens on the threads that call.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "http/inbox.h"
#include "http/service.h"
#include "http/settings.h"
#include "http/transfer.h"

namespace rechunk::http {

class Wire;

/// All methods may be called from any thread. Must outlive its batches.
class Client {
 public:
  Client(Settings settings, std::shared_ptr<const Service> service);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Runs one transfer. Throws: what its service throws.
  void run(Transfer& transfer);

  const Settings& settings() const { return settings_; }
  const Service& service() const { return *service_; }

 private:
  friend class Batch;
  std::shared_ptr<Wire> wire();

  const Settings settings_;
  const std::shared_ptr<const Service> service_;
  std::atomic<bool> was_answered_{false};  ///< At least once.
  std::mutex mutex_;
  std::shared_ptr<Wire> wire_;
  pid_t wire_process_ = 0;
};

/// Transfers that one thread waits for.
class Batch {
 public:
  explicit Batch(Client& client);
  /// Takes back what is in flight.
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Throws: what the service throws, for example if it finds no credentials.
  void start(Transfer& transfer);
  /// Waits for a transfer that is done: it has an answer, be it an error, or
  /// the reason why there is none. nullptr: none is left.
  /// Throws: as start.
  Transfer* next();

 private:
  void send(Transfer& transfer);
  void send_what_is_due();
  bool goes_again(Transfer& transfer);

  Client& client_;
  const std::shared_ptr<Wire> wire_;
  Inbox inbox_;
  std::deque<Transfer*> queue_;  ///< Not signed yet.
  std::multimap<Clock::time_point, Transfer*> paused_;
  int in_flight_ = 0;
};

}  // namespace rechunk::http
