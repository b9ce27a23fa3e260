// Who a request to Google's services comes from. Tokens are looked for where
// Google's own tools look, in this order:
//
// 1. the options of the place;
// 2. the file that GOOGLE_APPLICATION_CREDENTIALS names, or what obstore reads
//    from the environment (GOOGLE_SERVICE_ACCOUNT, ...);
// 3. what `gcloud auth application-default login` wrote;
// 4. the machine's metadata service.
#pragma once

#include <string>
#include <string_view>

#include "store/credentials.h"

namespace rechunk {

/// What options and the environment say; each is "" if they do not.
struct GoogleIdentity {
  std::string token;          ///< A secret, as it is sent.
  std::string key;            ///< A secret: the JSON of an account's key.
  std::string key_file;       ///< With such a key.
  bool only_machine = false;  ///< Look at the metadata service alone.
};

/// Looks everywhere. Throws: invalid_argument, unsupported, io.
Credentials<std::string> find_google_token(const GoogleIdentity& identity);

/// By a key of a service account, or of a user who signed in. `source` says
/// where the JSON comes from. Throws: as above.
Credentials<std::string> google_token_by_key(std::string_view json,
                                             const std::string& source);

}  // namespace rechunk
