#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/vault/RootKeySource.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace postern::vault {

namespace {

constexpr std::size_t MostPassphrase = 4096;
constexpr const char* Credential = "postern-passphrase";

// One line, without its end.
Secret readLine(int fd) {
  auto line = Secret::ofSize(MostPassphrase);
  std::size_t have = 0;
  while (have < MostPassphrase) {
    const auto count = ::read(fd, line.data() + have, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || line.view()[have] == '\n') break;
    ++have;
  }
  return Secret(line.view().substr(0, have));
}

// The descriptor is read once and closed: a second process of ours must not find it.
std::optional<Secret> fromDescriptor() {
  const auto* number = std::getenv("POSTERN_PASSPHRASE_FD");
  if (number == nullptr) return std::nullopt;
  char* end = nullptr;
  const auto fd = std::strtol(number, &end, 10);
  if (end == number || *end != '\0' || fd < 0 || fd > 65535 || ::fcntl(static_cast<int>(fd), F_GETFD) < 0)
    throw Error(ErrorKind::Config, "POSTERN_PASSPHRASE_FD names no open descriptor");
  const FileDescriptor owned(static_cast<int>(fd));
  ::unsetenv("POSTERN_PASSPHRASE_FD");
  return readLine(owned.get());
}

std::optional<Secret> fromCredential() {
  const auto* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return std::nullopt;
  const auto path = std::filesystem::path(folder) / Credential;
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  return readLine(fd.get());
}

// Turns the echo off for as long as it lives.
class SilentTerminal {
public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0) throwErrno("read the settings of", "the terminal");
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() { ::tcsetattr(fd_, TCSAFLUSH, &before_); }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

private:
  int fd_;
  termios before_{};
};

std::optional<Secret> fromTerminal(const std::string& purpose) {
  const FileDescriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  // A background process would be stopped by the terminal for asking.
  if (!terminal || ::tcgetpgrp(terminal.get()) != ::getpgrp()) return std::nullopt;
  const SilentTerminal silent(terminal.get());
  files::writeAll(terminal.get(), purpose + ": ", "/dev/tty");
  auto line = readLine(terminal.get());
  files::writeAll(terminal.get(), "\n", "/dev/tty");
  return line;
}

// Asks whoever answers systemd's questions: at the console while booting, or by systemd-tty-ask-password-agent.
std::optional<Secret> fromSystemd(const std::string& purpose) {
  constexpr const char* Program = "/usr/bin/systemd-ask-password";
  if (::access("/run/systemd/ask-password", W_OK) != 0 || ::access(Program, X_OK) != 0) return std::nullopt;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throwErrno("make", "a pipe");
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const auto child = ::fork();
  if (child < 0) throwErrno("start", Program);
  if (child == 0) {
    ::dup2(writing.get(), STDOUT_FILENO);
    ::execl(Program, Program, "--no-tty", "--timeout=0", purpose.c_str(), nullptr);
    ::_exit(127);
  }
  writing.reset();
  auto line = readLine(reading.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return line;
}

}  // namespace

Secret askPassphrase(const std::string& purpose) {
  auto passphrase = fromDescriptor();
  if (!passphrase) passphrase = fromCredential();
  if (!passphrase) passphrase = fromTerminal(purpose);
  if (!passphrase) passphrase = fromSystemd(purpose);
  if (!passphrase)
    throw Error(ErrorKind::Config,
                "the root key is under a passphrase and there is nobody to ask: give the unit the credential "
                "postern-passphrase, start from a terminal, or hand over a descriptor in POSTERN_PASSPHRASE_FD");
  if (passphrase->empty()) throw Error(ErrorKind::Config, "the passphrase of the root key is empty");
  return std::move(*passphrase);
}

}  // namespace postern::vault
