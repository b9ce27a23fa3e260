#include "store/gcs_store.h"

#include "store/bucket_store.h"
#include "store/gcs_bucket.h"

namespace rechunk {

std::shared_ptr<Store> open_gcs(const std::string& url,
                                const StorageOptions& options) {
  const GcsPlace place = parse_gcs_place(url, options);
  return std::make_shared<BucketStore>(std::make_shared<GcsBucket>(place),
                                       place.root);
}

}  // namespace rechunk
