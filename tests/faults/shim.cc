// Preloaded into a program it does something wrong at the n-th system call on
// files below one folder. Everything is said by the environment:
//
//   SHIM_UNDER=FOLDER         calls on other files do not count
//   SHIM_CALLS=rename,pwrite  which calls count; all if not set
//   SHIM_AT=N                 at the N-th of them, from 1 on
//   SHIM_RATE=N SHIM_SEED=S   or at one of N at random
//   SHIM_ACTION=before|after|half|error|short|stop
//       SIGSTOP before the call, which is made once the program goes on;
//       SIGKILL before the call, after it, or in the middle of a write;
//       or the call fails with SHIM_ERRNO; or a write or read does less
//   SHIM_LASTING=1            and at all that follow
//   SHIM_NO_EXCHANGE=1        disks cannot exchange two folders
//   SHIM_DELAY=MICROSECONDS   each call takes so much longer
//   SHIM_LOG=FILE             a line for each call: its name and its file
//   SHIM_CLOCK=SECONDS        the time of day is off by that at every other
//   call
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

enum class Action { kNone, kBefore, kAfter, kHalf, kError, kShort, kStop };

const char* setting(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

long number(const char* name) { return std::atol(setting(name)); }

Action parse_action(const char* text) {
  constexpr const char* kNames[] = {"",      "before", "after", "half",
                                    "error", "short",  "stop"};
  for (int i = 1; i < 7; ++i)
    if (std::strcmp(text, kNames[i]) == 0) return static_cast<Action>(i);
  return Action::kNone;
}

struct Script {
  const char* under = setting("SHIM_UNDER");
  const char* calls = setting("SHIM_CALLS");
  const char* log = setting("SHIM_LOG");
  const long at = number("SHIM_AT"), rate = number("SHIM_RATE");
  const std::uint64_t seed = static_cast<std::uint64_t>(number("SHIM_SEED"));
  const bool no_exchange = number("SHIM_NO_EXCHANGE") != 0;
  const bool lasting = number("SHIM_LASTING") != 0;
  const Action action = parse_action(setting("SHIM_ACTION"));
  const int error = static_cast<int>(number("SHIM_ERRNO"));
  const long clock = number("SHIM_CLOCK");
  const useconds_t delay = static_cast<useconds_t>(number("SHIM_DELAY"));
  std::atomic<long> count{0};
};

Script& script() {
  static Script script;
  return script;
}

// True if `name` stands in the list, or there is no list.
bool counts(const char* name) {
  const char* list = script().calls;
  if (*list == '\0') return true;
  const std::size_t length = std::strlen(name);
  for (const char* at = list; (at = std::strstr(at, name)); at += length)
    if ((at == list || at[-1] == ',') &&
        (at[length] == ',' || at[length] == '\0'))
      return true;
  return false;
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void write_log(const char* name, const char* path) {
  char line[PATH_MAX + 32];
  std::size_t length = 0;
  for (const char* part : {name, " ", path, "\n"})
    for (; *part && length < sizeof line; ++part) line[length++] = *part;
  const long file = ::syscall(SYS_openat, AT_FDCWD, script().log,
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return;
  ::syscall(SYS_write, file, line, length);
  ::syscall(SYS_close, file);
}

// What is to go wrong with this call.
Action next(const char* name, const char* path) {
  Script& s = script();
  const std::size_t length = std::strlen(s.under);
  if (length == 0 || std::strncmp(path, s.under, length) != 0) return {};
  if (!counts(name)) return {};
  const long count = ++s.count;
  if (s.delay > 0) ::usleep(s.delay);
  if (*s.log) write_log(name, path);
  if (s.at > 0 && (count == s.at || (s.lasting && count > s.at)))
    return s.action;
  if (s.rate > 0 && mixed(s.seed + static_cast<std::uint64_t>(count)) %
                            static_cast<std::uint64_t>(s.rate) ==
                        0)
    return s.action;
  return Action::kNone;
}

Action next(const char* name, int file) {
  char link[64] = "/proc/self/fd/", path[PATH_MAX];
  char digits[16];
  int count = 0;
  do digits[count++] = static_cast<char>('0' + file % 10);
  while (file /= 10);
  char* at = link + std::strlen(link);
  while (count > 0) *at++ = digits[--count];
  *at = '\0';
  const long got = ::syscall(SYS_readlink, link, path, sizeof path - 1);
  path[got > 0 ? got : 0] = '\0';
  return next(name, path);
}

[[noreturn]] void die() {
  for (;;) ::kill(::getpid(), SIGKILL);
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Carries out `call`, with what is to go wrong.
template <class Call>
auto carry_out(Action action, Call&& call) -> decltype(call()) {
  if (action == Action::kBefore || action == Action::kHalf) die();
  if (action == Action::kStop) ::kill(::getpid(), SIGSTOP);
  if (action == Action::kError) {
    errno = script().error;
    return static_cast<decltype(call())>(-1);
  }
  const auto result = call();
  if (action == Action::kAfter) die();
  return result;
}

int open_with(const char* name, const char* path, int flags, mode_t mode) {
  static const auto open = real<int(const char*, int, ...)>("open");
  return carry_out(next(name, path), [&] { return open(path, flags, mode); });
}

ssize_t write_with(int file, const void* data, std::size_t bytes, off_t at) {
  static const auto pwrite =
      real<ssize_t(int, const void*, std::size_t, off_t)>("pwrite");
  const Action action = next("pwrite", file);
  if (action == Action::kHalf) {
    pwrite(file, data, bytes / 2, at);
    die();
  }
  if (action == Action::kShort && bytes > 1) bytes /= 2;
  return carry_out(action, [&] { return pwrite(file, data, bytes, at); });
}

ssize_t read_with(int file, const iovec* vectors, int count, off_t at) {
  static const auto preadv =
      real<ssize_t(int, const iovec*, int, off_t)>("preadv");
  const Action action = next("preadv", file);
  if (action == Action::kShort && count > 0) {
    iovec less = vectors[0];
    less.iov_len = (less.iov_len + 1) / 2;
    return preadv(file, &less, 1, at);
  }
  return carry_out(action, [&] { return preadv(file, vectors, count, at); });
}

mode_t mode_of(int flags, std::va_list arguments) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_with(flags & O_CREAT ? "create" : "open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_with(flags & O_CREAT ? "create" : "open", path, flags, mode);
}

ssize_t pwrite(int file, const void* data, std::size_t bytes, off_t at) {
  return write_with(file, data, bytes, at);
}
ssize_t pwrite64(int file, const void* data, std::size_t bytes, off_t at) {
  return write_with(file, data, bytes, at);
}
ssize_t preadv(int file, const iovec* vectors, int count, off_t at) {
  return read_with(file, vectors, count, at);
}
ssize_t preadv64(int file, const iovec* vectors, int count, off_t at) {
  return read_with(file, vectors, count, at);
}

int rename(const char* from, const char* to) noexcept {
  static const auto call = real<int(const char*, const char*)>("rename");
  return carry_out(next("rename", to), [&] { return call(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  static const auto call =
      real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return carry_out(next("renameat2", to), [&] {
    if (script().no_exchange) {
      errno = EINVAL;
      return -1;
    }
    return call(from_folder, from, to_folder, to, flags);
  });
}

int link(const char* from, const char* to) noexcept {
  static const auto call = real<int(const char*, const char*)>("link");
  return carry_out(next("link", to), [&] { return call(from, to); });
}

int unlink(const char* path) noexcept {
  static const auto call = real<int(const char*)>("unlink");
  return carry_out(next("unlink", path), [&] { return call(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto call = real<int(const char*, mode_t)>("mkdir");
  return carry_out(next("mkdir", path), [&] { return call(path, mode); });
}

int rmdir(const char* path) noexcept {
  static const auto call = real<int(const char*)>("rmdir");
  return carry_out(next("rmdir", path), [&] { return call(path); });
}

int fsync(int file) {
  static const auto call = real<int(int)>("fsync");
  return carry_out(next("fsync", file), [&] { return call(file); });
}

int fdatasync(int file) {
  static const auto call = real<int(int)>("fdatasync");
  return carry_out(next("fdatasync", file), [&] { return call(file); });
}

DIR* opendir(const char* path) {
  static const auto call = real<DIR*(const char*)>("opendir");
  const Action action = next("opendir", path);
  if (action == Action::kError) {
    errno = script().error;
    return nullptr;
  }
  if (action == Action::kBefore) die();
  return call(path);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static std::atomic<long> calls{0};
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  if (script().clock != 0 && clock == CLOCK_REALTIME && ++calls % 2 == 0)
    time->tv_sec += script().clock;
  return static_cast<int>(result);
}

}  // extern "C"
