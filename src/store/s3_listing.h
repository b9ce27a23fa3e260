// Lists what is in a bucket: objects, and uploads that nobody completed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"
#include "store/s3_bucket.h"

namespace rechunk {

/// Calls `visit` for each object whose key starts with `prefix`, with its whole
/// key, until it returns false. Objects whose names end with "/" are marks for
/// folders, which no store of rechunk has; they are passed over.
/// Throws: io, corrupt (an answer that makes no sense).
/// `first`: the first page, if it was asked for already.
void list_s3_objects(S3Bucket& bucket, std::string_view prefix,
                     const VisitListed& visit,
                     const http::Transfer* first = nullptr);

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
