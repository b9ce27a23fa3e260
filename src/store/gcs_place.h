// What a URL of Google Cloud Storage and its options say: gs://bucket/prefix.
// Options are named as in obstore and gcsfs; what they leave open, the
// environment says (GOOGLE_APPLICATION_CREDENTIALS, STORAGE_EMULATOR_HOST,
// ...).
#pragma once

#include <string>

#include "rechunk/store.h"
#include "store/google_credentials.h"
#include "store/storage_options.h"

namespace rechunk {

inline constexpr std::string_view kGcsScheme = "gs://";

struct GcsPlace {
  std::string bucket;
  std::string root;          ///< Without "/" at its ends; "" is all of it.
  std::string endpoint;      ///< A URL without "/" at its end.
  std::string user_project;  ///< Who pays for the requests; "": its owner.
  bool is_anonymous = false;
  int requests = 64;  ///< At a time.
  GoogleIdentity identity;
};

/// Throws: invalid_argument.
GcsPlace parse_gcs_place(const std::string& url, const StorageOptions& options);

inline constexpr StorageOption kGcsOptions[] = {
    {{"token", "bearer_token", "google_bearer_token"}, true},
    {{"service_account_key", "google_service_account_key"}, true},
    {{"service_account_path", "service_account", "google_service_account",
      "google_service_account_path"}},
    {{"application_credentials", "google_application_credentials"}},
    {{"skip_signature", "google_skip_signature", "anon"}},
    {{"user_project"}},
    {{"requester_pays"}},
    {{"project"}},
    {{"endpoint_url", "endpoint", "base_url", "google_base_url"}},
    {{"max_requests"}},
};

}  // namespace rechunk
