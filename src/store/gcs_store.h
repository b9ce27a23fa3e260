// A prefix of a bucket of Google Cloud Storage: gs://bucket/prefix. Parts:
// gcs_place (URL and options), google_credentials, gcs_service (tokens),
// gcs_bucket (requests), gcs_writer; bucket_store is what all object stores
// share.
#pragma once

#include <memory>
#include <string>

#include "rechunk/store.h"
#include "store/gcs_place.h"

namespace rechunk {

/// Asks nothing yet: credentials are looked for with the first request.
/// Throws: invalid_argument.
std::shared_ptr<Store> open_gcs(const std::string& url,
                                const StorageOptions& options);

}  // namespace rechunk
