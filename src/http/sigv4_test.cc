#include "http/sigv4.h"

#include <gtest/gtest.h>

#include "http/url_text.h"

namespace rechunk::http {
namespace {

const AwsKey kKey{"AKIAIOSFODNN7EXAMPLE",
                  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const SigV4Scope kScope{"us-east-1", "s3"};
constexpr std::time_t kTime = 1369353600;  // 20130524T000000Z

std::string authorization(const Headers& headers) {
  return headers.back().first == "Authorization" ? headers.back().second : "";
}

struct Vector {
  std::string method, url;
  Headers headers;
  std::string payload, signed_names, signature;
};

// The examples of the page that sigv4.h names.
TEST(SigV4, SignsAsThePublishedExamples) {
  const std::string host = "https://examplebucket.s3.amazonaws.com";
  const std::vector<Vector> vectors = {
      {"GET",
       host + "/test.txt",
       {{"Range", "bytes=0-9"}},
       "",
       "host;range;x-amz-content-sha256;x-amz-date",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT",
       host + "/test%24file.text",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "Welcome to Amazon S3.",
       "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET",
       host + "/?lifecycle",
       {},
       "",
       "host;x-amz-content-sha256;x-amz-date",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"GET",
       host + "/?max-keys=2&prefix=J",
       {},
       "",
       "host;x-amz-content-sha256;x-amz-date",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Vector& vector : vectors)
    EXPECT_EQ(authorization(sign_sigv4(kKey, kScope, vector.method, vector.url,
                                       vector.headers,
                                       sha256_hex(vector.payload), kTime)),
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/"
              "us-east-1/s3/aws4_request, SignedHeaders=" +
                  vector.signed_names + ", Signature=" + vector.signature)
        << vector.url;
}

// These signatures were made with the hashes and the quoting of Python.
TEST(SigV4, SignsAwkwardKeysQueriesAndTokens) {
  AwsKey key = kKey;
  key.session_token = "a token";
  const std::string url = "http://LOCALHOST:9000/bucket/";
  const auto signature = [&](const std::string& rest) {
    const std::string text = authorization(
        sign_sigv4(key, kScope, "GET", url + rest, {}, sha256_hex(""), kTime));
    return text.substr(text.size() - 64);
  };
  EXPECT_EQ(signature(percent_encoded("a b/c+d=e%f/ü?&#~.txt", true)),
            "428ed4b5568ffed7074ae256c37a4aa883e827a76695415bae744433d388fec4");
  // Members are sorted by name, then by value.
  EXPECT_EQ(signature("x?uploadId=a%2Bb%2F%3D&a1=&a=b%20c&partNumber=7"),
            "8f3800aca296623b115b978ee9e2352b7a5f8cb731f1788802978dc9c77087b9");
}

}  // namespace
}  // namespace rechunk::http
