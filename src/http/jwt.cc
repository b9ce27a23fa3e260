#include "http/jwt.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "http/base64.h"
#include "rechunk/error.h"

namespace rechunk::http {
namespace {

template <auto kFree>
struct Free {
  template <class Object>
  void operator()(Object* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;

// Without it OpenSSL asks the terminal for the password of a key.
int no_password(char*, int, int, void*) { return 0; }

}  // namespace

std::string signed_jwt(std::string_view header, std::string_view claims,
                       std::string_view key) {
  const std::string text = base64url(header) + "." + base64url(claims);
  const Bio bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const Key secret(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  const Context context(EVP_MD_CTX_new());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t count = 0;
  std::string signature;
  const auto sign = [&] {
    auto* const place =
        signature.empty() ? nullptr
                          : reinterpret_cast<unsigned char*>(signature.data());
    return EVP_DigestSign(context.get(), place, &count, bytes, text.size()) ==
           1;
  };
  bool is_signed = secret && context &&
                   EVP_PKEY_base_id(secret.get()) == EVP_PKEY_RSA &&
                   EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(),
                                      nullptr, secret.get()) == 1 &&
                   sign();
  if (is_signed) {
    signature.resize(count);
    is_signed = sign();
  }
  if (!is_signed)
    throw Error(ErrorKind::kInvalidArgument,
                "signing a token: the private key is no RSA key without a "
                "password");
  signature.resize(count);
  return text + "." + base64url(signature);
}

}  // namespace rechunk::http
