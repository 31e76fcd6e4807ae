#pragma once
#include "core/base/Codec.h"
#include "core/base/CompanionAddress.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>

namespace postern::test {

// A companion program on a local socket. Each connection is given to the test's own words, one after another.
class FakeCompanion {
public:
  // One connection as the companion sees it.
  class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}
    bool read(std::string& to, std::size_t count) {
      to.clear();
      while (to.size() < count) {
        char buffer[4096];
        const auto got = ::recv(fd_.get(), buffer, std::min(sizeof buffer, count - to.size()), 0);
        if (got <= 0) return false;
        to.append(buffer, static_cast<std::size_t>(got));
      }
      return true;
    }
    // Until these bytes have come.
    std::string readUntil(std::string_view end) {
      std::string all, one;
      while (!all.ends_with(end) && read(one, 1)) all += one;
      return all;
    }
    void send(std::string_view bytes) { (void)!::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  private:
    FileDescriptor fd_;
  };

  explicit FakeCompanion(std::function<void(Peer&)> serve) : serve_(std::move(serve)) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::strcpy(where.sun_path, path().c_str());
    listener_ = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const void* const pointer = &where;
    if (::bind(listener_.get(), static_cast<const sockaddr*>(pointer), sizeof where) != 0 ||
        ::listen(listener_.get(), 8) != 0)
      throw std::runtime_error("no socket for a fake companion");
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~FakeCompanion() {
    thread_.request_stop();
    ::shutdown(listener_.get(), SHUT_RDWR);
  }

  std::string path() const { return (folder_ / "companion.sock").string(); }
  CompanionAddress address() const { return {path(), {}, 0}; }

private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int fd = ::accept(listener_.get(), nullptr, nullptr);
      if (fd < 0) return;
      Peer peer(fd);
      serve_(peer);
    }
  }

  TempFolder folder_;
  std::function<void(Peer&)> serve_;
  FileDescriptor listener_;
  std::jthread thread_;
};

}  // namespace postern::test
