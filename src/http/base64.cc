#include "http/base64.h"

#include <openssl/evp.h>

namespace rechunk::http {

std::string base64(std::string_view bytes) {
  std::string coded(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int count =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  coded.resize(static_cast<std::size_t>(count));
  return coded;
}

std::string base64url(std::string_view bytes) {
  std::string coded = base64(bytes);
  while (coded.ends_with('=')) coded.pop_back();
  for (char& c : coded) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return coded;
}

}  // namespace rechunk::http
