// One attempt of a transfer: what libcurl does with it.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/service.h"
#include "http/settings.h"
#include "http/transfer.h"

namespace rechunk::http {

/// Made by the thread that starts a transfer. From then on only the thread that
/// moves the bytes uses it, until it is finished or taken back.
class Attempt {
 public:
  /// Empties the transfer's answer. Throws: io (no memory for a handle).
  Attempt(Transfer& transfer, const Request& request, const Settings& settings);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  CURL* handle() const { return easy_.get(); }
  Transfer& transfer() const { return transfer_; }
  /// Puts the end into the transfer's answer.
  void finish(CURLcode code);

 private:
  void set_up(const Request& request, const Settings& settings);
  void set_up_body();

  // What libcurl calls.
  static std::size_t on_header(char* data, std::size_t, std::size_t bytes,
                               void* self);
  static std::size_t on_body(char* data, std::size_t, std::size_t bytes,
                             void* self);
  static std::size_t on_send(char* data, std::size_t, std::size_t bytes,
                             void* self);
  static int on_rewind(void* self, curl_off_t offset, int origin);

  void take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  std::size_t take_text(std::string_view bytes);
  bool begin_range();
  std::size_t scatter(std::string_view bytes);
  std::size_t send(char* data, std::size_t bytes);
  bool refuse(std::string why);
  void check_range();
  bool wants_range() const;

  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  Transfer& transfer_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::array<char, CURL_ERROR_SIZE> curl_says_{};

  std::size_t sent_part_ = 0, sent_bytes_ = 0;  ///< Of the body.
  bool began_ = false;       ///< The first bytes of the range came.
  bool has_enough_ = false;  ///< The rest of the object is not wanted.
  std::int64_t skip_ = 0;    ///< Bytes before the range.
  std::size_t sink_ = 0, sink_at_ = 0;
};

}  // namespace rechunk::http
