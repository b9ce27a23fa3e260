// A prefix of an S3 bucket: s3://bucket/prefix, at AWS or at any server that
// speaks S3. Parts: s3_place (URL and options), s3_service (signatures),
// s3_bucket (requests), s3_writer, s3_listing; bucket_store is what all
// object stores share.
#pragma once

#include <memory>
#include <string>

#include "rechunk/store.h"
#include "store/s3_place.h"

namespace rechunk {

/// Asks nothing yet: credentials are looked for with the first request.
/// Throws: invalid_argument.
std::shared_ptr<Store> open_s3(const std::string& url,
                               const StorageOptions& options);

}  // namespace rechunk
