#include "store/aws_profile.h"

#include <fstream>
#include <iterator>

#include "store/storage_options.h"

namespace rechunk {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::map<std::string, AwsProfile> read_file(const char* variable,
                                            const std::string& name) {
  std::string path = environment(variable).value_or("");
  if (path.empty())
    path = environment("HOME").value_or("") + "/.aws/" + name;
  else if (path.starts_with("~/"))
    path = environment("HOME").value_or("") + path.substr(1);
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_aws_file(text);
}

}  // namespace

std::map<std::string, AwsProfile> parse_aws_file(std::string_view text) {
  std::map<std::string, AwsProfile> sections;
  AwsProfile* section = nullptr;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view words = trimmed(line);
    if (words.empty() || words.front() == '#' || words.front() == ';') continue;
    if (words.front() == '[') {
      const std::string_view name = words.substr(1, words.find(']') - 1);
      section = &sections[std::string(trimmed(name))];
      continue;
    }
    const auto equals = words.find('=');
    const bool is_nested = line.front() == ' ' || line.front() == '\t';
    if (section == nullptr || equals == std::string_view::npos || is_nested)
      continue;
    (*section)[std::string(trimmed(words.substr(0, equals)))] =
        trimmed(words.substr(equals + 1));
  }
  return sections;
}

AwsProfile read_aws_profile(std::string_view name) {
  const std::string key(name);
  auto credentials = read_file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
  auto config = read_file("AWS_CONFIG_FILE", "config");
  AwsProfile profile = credentials[key];
  // In this file only the default profile may go without the word.
  profile.merge(config["profile " + key]);
  if (key == "default") profile.merge(config[key]);
  return profile;
}

}  // namespace rechunk
