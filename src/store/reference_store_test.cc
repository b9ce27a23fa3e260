// What references may name, and what is none.
#include "store/reference_store.h"

#include <gtest/gtest.h>

#include "base/folder_testing.h"
#include "rechunk/error.h"
#include "store/reference_table.h"

namespace rechunk {
namespace {

TEST(ReferenceTable, FillsTemplatesInAndRefusesWhatItDoesNotKnow) {
  const std::vector<std::pair<std::string, std::string>> templates{
      {"u", "s3://b"}, {"f", "s3://b/{{c}}/{{ d }}"}};
  EXPECT_EQ(fill_templates("plain", templates), "plain");
  EXPECT_EQ(fill_templates("{{u}}/a", templates), "s3://b/a");
  EXPECT_EQ(fill_templates("{{ f(c='x', d=\"y\") }}.nc", templates),
            "s3://b/x/y.nc");
  for (const char* text : {"{{v}}", "{{u", "{{f}}", "{{f(c='x')}}", "{{u+u}}",
                           "{{f(c=x, d='y')}}", "{{f(c='x' d='y')}}", "{{}}"})
    EXPECT_THROW(fill_templates(text, templates), Error) << text;
  EXPECT_EQ(decode_base64("AAEC/w=="), std::string("\0\1\2\xff", 4));
  for (const char* text :
       {"A", "AA", "AAA", "A===", "AA=A", "AA-_", "AAAA===="})
    EXPECT_THROW(decode_base64(text), Error) << text;
}

class References : public testing::Test {
 protected:
  void SetUp() override {
    write_text(*files_, "own/a", "0123456789");
    write_text(*files_, "other/a", "abcdefghij");
  }
  std::shared_ptr<Store> open(const std::string& json,
                              const std::vector<std::string>& below = {}) {
    write_text(*files_, "own/x.json", json);
    return open_store(folder_ + "/own/x.json", {}, below);
  }

  const TestFolder own_folder_;
  const std::string folder_ = own_folder_.path();
  const std::shared_ptr<Store> files_ = open_store(folder_);
};

TEST_F(References, NameOnlyWhatLiesBelowTheirFolderOrIsAllowed) {
  const auto json = [](const std::string& url) {
    return "{\"k\":[\"" + url + "\",2,3]}";
  };
  for (const std::string& url :
       {std::string("a"), folder_ + "/own/a", "file://" + folder_ + "/own/a"})
    EXPECT_EQ(read_text(*open(json(url)), "k"), "234") << url;
  const std::string other = folder_ + "/other/a";
  EXPECT_EQ(read_text(*open(json(other), {folder_ + "/other"}), "k"), "cde");
  for (const std::string& url :
       {other, std::string("../other/a"), folder_ + "/own/../other/a",
        "file://" + other, std::string("/etc/passwd"),
        std::string("https://example.org/a"), std::string("s3://bucket/a"),
        folder_ + "/own", std::string("http://169.254.169.254/latest/")})
    EXPECT_THROW(open(json(url)), Error) << url;
  EXPECT_THROW(open(json(other), {folder_ + "/oth"}), Error);
  for (const char* host :
       {"host", "169.254.169.254", "[fe80::1]", "0xA9FEA9FE"})
    try {
      open(json("https://me:secret@" + std::string(host) + "/a?key=secret"));
      FAIL() << host;
    } catch (const Error& error) {
      const std::string text = error.what() + error.hint();
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
      EXPECT_NE(text.find(std::string(host) + "/a"), std::string::npos) << text;
    }
}

TEST_F(References, NeverNameLinkLocalAddresses) {
  for (const std::string host :
       {"169.254.169.254", "0xA9FEA9FE", "2852039166", "169.254.1", "[fe80::1]",
        "[::ffff:169.254.169.254]", "[fd00:ec2::254]",
        "metadata.google.internal", "Metadata.Google.Internal.",
        "me@169.254.169.254:80"}) {
    const std::string place = "http://" + host + "/latest";
    try {
      open("{\"k\":[\"" + place + "/a\"]}", {place});
      FAIL() << host;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("only this machine's network"),
                std::string::npos)
          << error.what();
    }
  }
}

TEST_F(References, ThatAreNoneAreRefused) {
  for (const char* json : {"",
                           "[]",
                           "3",
                           "{",
                           "{\"version\":2,\"refs\":{}}",
                           "{\"k\":1}",
                           "{\"k\":[]}",
                           "{\"k\":[\"a\",1]}",
                           "{\"k\":[\"a\",-1,2]}",
                           "{\"k\":[\"a\",1,2,3]}",
                           "{\"k\":[1,2,3]}",
                           "{\"../k\":\"x\"}",
                           "{\"k\":\"x\",\"k\":\"y\"}",
                           "{\"k\":\"base64:!\"}",
                           "{\"k\":null}",
                           "{\"version\":1,\"gen\":[{}],\"refs\":{}}",
                           "{\"refs\":{\"k\":[\"a\",1e3,2]}}",
                           "{\"refs\":{},\"k\":\"x\"}",
                           "{\"k\":[\"a\",0,99999999999999999999]}",
                           "{\"k\":\"x\"} more"})
    EXPECT_THROW(open(json), Error) << json;
  EXPECT_EQ(read_text(*open("{\"k\":{\"a\":[1,{\"b\":null}],\"c\":1.5}}"), "k"),
            "{\"a\":[1,{\"b\":null}],\"c\":1.5}");
  EXPECT_THROW(read_text(*open("{\"k\":[\"a\",5,6]}"), "k"), Error);  // Short.
  EXPECT_THROW(read_text(*open("{\"k\":[\"gone\",0,1]}"), "k"), Error);
  EXPECT_THROW(read_text(*open("{\"k\":[\"gone\"]}"), "k"), Error);
}

}  // namespace
}  // namespace rechunk
