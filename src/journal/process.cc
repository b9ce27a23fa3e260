#include "journal/process.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

namespace rechunk {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string link_target(const char* path) {
  std::array<char, 256> target{};
  const ssize_t size = readlink(path, target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size))
                  : "";
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found ? found->pw_name : std::to_string(geteuid());
}

// When a process began; nothing if there is none of that number.
std::optional<std::int64_t> start_of(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  // Behind the name, which may hold anything, stand the state and numbers.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(name_end + 1));
  std::string word;
  rest >> word;
  if (word == "Z" || word == "X") return std::nullopt;
  constexpr int kFieldsBetween = 18;
  for (int i = 0; i < kFieldsBetween; ++i) rest >> word;
  std::int64_t start = 0;
  return rest >> start ? std::optional(start) : std::nullopt;
}

Process make_this_process() {
  Process process;
  process.host = host_name();
  process.user = user_name();
  process.boot = first_line("/proc/sys/kernel/random/boot_id");
  process.pid_space = link_target("/proc/self/ns/pid");
  process.pid = getpid();
  process.start = start_of(process.pid).value_or(0);
  return process;
}

}  // namespace

const Process& this_process() {
  // Made again after a fork.
  thread_local Process process = make_this_process();
  if (process.pid != getpid()) process = make_this_process();
  return process;
}

std::optional<bool> is_there(const Process& process) {
  const Process& self = this_process();
  if (process.boot != self.boot || process.pid_space != self.pid_space ||
      self.boot.empty() || self.pid_space.empty())
    return std::nullopt;
  return start_of(process.pid) == process.start;
}

double seconds_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

std::int64_t unix_seconds() { return std::time(nullptr); }

}  // namespace rechunk
