#include "http/url_text.h"

#include <gtest/gtest.h>

#include <random>

namespace rechunk::http {
namespace {

TEST(UrlText, EncodesAllThatIsNotPlain) {
  EXPECT_EQ(percent_encoded("a b/c+d=e%f~.-_"), "a%20b%2Fc%2Bd%3De%25f~.-_");
  EXPECT_EQ(percent_encoded("a b/ü", true), "a%20b/%C3%BC");
  EXPECT_EQ(percent_decoded("a%20b%2f+%C3%BC"), "a b/+ü");
  for (const char* as_it_is : {"%", "%2", "%zz", "a%", "%%", "%+1", "% 1"})
    EXPECT_EQ(percent_decoded(as_it_is), as_it_is);
}

TEST(UrlText, DecodesWhatItEncoded) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const bool keeps = round % 2 == 0;
    EXPECT_EQ(percent_decoded(percent_encoded(text, keeps)), text);
  }
}

TEST(UrlText, SplitsUrls) {
  const UrlParts all = split_url("https://me:se@cret@Host:443/a/b?c=d?e#f");
  EXPECT_EQ(all.scheme, "https");
  EXPECT_EQ(all.user, "me:se@cret");
  EXPECT_EQ(all.host, "Host:443");
  EXPECT_EQ(all.path, "/a/b");
  EXPECT_EQ(all.query, "c=d?e");
  EXPECT_EQ(host_header(all), "host");
  EXPECT_EQ(host_header(split_url("http://a:443/")), "a:443");
  EXPECT_EQ(host_header(split_url("http://a:80")), "a");
  const UrlParts bare = split_url("http://host?q");
  EXPECT_EQ(bare.host, "host");
  EXPECT_EQ(bare.path, "");
  EXPECT_EQ(bare.query, "q");
  // An @ in a path names no user.
  EXPECT_EQ(split_url("http://host/a@b").user, "");
}

TEST(UrlText, FindsWhereRedirectsLead) {
  const std::string base = "https://host:8443/a/b?q";
  EXPECT_EQ(resolved_url(base, "c/../d#f"), "https://host:8443/a/d");
  EXPECT_EQ(resolved_url(base, "/x"), "https://host:8443/x");
  EXPECT_EQ(resolved_url(base, "//other/x"), "https://other/x");
  EXPECT_EQ(resolved_url(base, "http://me:secret@other/x"), "http://other/x");
  EXPECT_EQ(resolved_url("no url", ""), "");
}

TEST(UrlText, KnowsThisMachine) {
  for (const char* here : {"localhost", "127.0.0.1:9000", "[::1]", "[::1]:1"})
    EXPECT_TRUE(is_loopback(here)) << here;
  for (const char* there : {"127.0.0.1.evil.org", "localhost.evil.org",
                            "169.254.169.254", "[::1].evil.org", "10.0.0.1"})
    EXPECT_FALSE(is_loopback(there)) << there;
}

TEST(UrlText, ShowsOneLineWithoutControlCharacters) {
  EXPECT_EQ(shown("  a\r\n\tb\x1b[31m c\x7f "), "a b [31m c");
  EXPECT_EQ(shown("abcdef", 3), "abc...");
  EXPECT_EQ(shown("aüü", 4), "a...");  // Not half a character.
}

}  // namespace
}  // namespace rechunk::http
