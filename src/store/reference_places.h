// Where the files lie that references name, and which of them may be read.
//
// A file of references is not trusted: it may come from anywhere, and a run
// copies what it names into the target. So it may name what lies below its own
// folder, and below places that the caller allows. A file that is not on this
// machine never names local files, and no file names addresses that only this
// machine's network has (metadata services give out credentials there).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rechunk/store.h"

namespace rechunk {

/// One thread at a time; its stores may be used by any.
class ReferencePlaces {
 public:
  struct Place {
    std::shared_ptr<const Store> store;
    std::string key;
  };

  /// `file`: URL or path of the references. `below`: places that the caller
  /// allows beside its folder. `options` are for its own store, and for others
  /// of the same host, or of buckets.
  ReferencePlaces(const std::string& file,
                  const std::vector<std::string>& below,
                  const StorageOptions& options);

  /// Names without a scheme begin at the folder of the references, if they do
  /// not begin with "/". Throws: invalid_argument if it may not be read.
  Place find(const std::string& url);

 private:
  struct Root {
    std::string url;                     ///< Of remote places; ends with "/".
    std::string path, real_path;         ///< Of local ones.
    std::shared_ptr<const Store> store;  ///< Opened when it is needed.
  };

  Place find_local(const std::string& url, const std::string& path);
  Place find_remote(const std::string& url);
  const std::shared_ptr<const Store>& open(Root& root);
  [[noreturn]] void refuse(const std::string& url) const;

  const StorageOptions options_;
  std::vector<Root> roots_;  ///< The first is the folder of the references.
};

}  // namespace rechunk
