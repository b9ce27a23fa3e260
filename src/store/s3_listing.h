// Lists what is in a bucket: objects, and uploads that nobody completed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"
#include "store/s3_bucket.h"

namespace rechunk {

/// As `Bucket::list`.
void list_s3_objects(S3Bucket& bucket, std::string_view prefix,
                     const VisitListed& visit, const http::Transfer& first);

/// The request for the first page.
http::Transfer first_s3_page(const S3Bucket& bucket, std::string_view prefix);

struct S3Upload {
  std::string key, id;
};

/// Uploads in parts below a prefix, one page of them. Throws: as above.
std::vector<S3Upload> s3_uploads(S3Bucket& bucket, std::string_view prefix);

/// Ends such an upload; its parts go. Throws: io.
void abort_s3_upload(S3Bucket& bucket, const S3Upload& upload);

}  // namespace rechunk
