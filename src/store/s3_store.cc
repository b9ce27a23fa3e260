#include "store/s3_store.h"

#include "store/bucket_store.h"
#include "store/s3_bucket.h"

namespace rechunk {

std::shared_ptr<Store> open_s3(const std::string& url,
                               const StorageOptions& options) {
  const S3Place place = parse_s3_place(url, options);
  return std::make_shared<BucketStore>(std::make_shared<S3Bucket>(place),
                                       place.root);
}

}  // namespace rechunk
