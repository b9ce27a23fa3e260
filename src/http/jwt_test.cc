#include "http/jwt.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <vector>

#include "http/base64.h"
#include "rechunk/error.h"

namespace rechunk::http {
namespace {

std::string pem_of(EVP_PKEY* key) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(bytes));
  BIO_free(bio);
  return pem;
}

std::string bytes_of(std::string text) {
  for (char& c : text) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  const std::size_t letters = text.size();
  while (text.size() % 4 != 0) text += '=';
  std::vector<unsigned char> bytes(text.size());
  EVP_DecodeBlock(bytes.data(),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  return {bytes.begin(),
          bytes.begin() + static_cast<std::ptrdiff_t>(letters * 6 / 8)};
}

TEST(Base64, IsThatOfTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd?"), "//79Pw==");
  EXPECT_EQ(base64url("\xff\xfe\xfd?"), "__79Pw");
}

TEST(Jwt, IsSignedByItsKey) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_RSA_gen(2048), &EVP_PKEY_free);
  const std::string token =
      signed_jwt(R"({"alg":"RS256"})", R"({"iss":"me"})", pem_of(key.get()));
  const auto dot = token.rfind('.');
  const std::string text = token.substr(0, dot);
  EXPECT_EQ(text, "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJtZSJ9");
  const auto is_signed = [&](const std::string& said) {
    const std::string signature = bytes_of(token.substr(dot + 1));
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
        EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                         key.get());
    return EVP_DigestVerify(
               context.get(),
               reinterpret_cast<const unsigned char*>(signature.data()),
               signature.size(),
               reinterpret_cast<const unsigned char*>(said.data()),
               said.size()) == 1;
  };
  EXPECT_TRUE(is_signed(text));
  EXPECT_FALSE(is_signed(text + "x"));
}

TEST(Jwt, NeedsAnRsaKeyAndDoesNotShowIt) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> other(
      EVP_EC_gen("P-256"), &EVP_PKEY_free);
  for (const std::string& pem :
       {std::string(), std::string("TopSecret"), pem_of(other.get())}) {
    try {
      signed_jwt("{}", "{}", pem);
      FAIL() << pem;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()).find("TopSecret"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace rechunk::http
