// rooms: gateway
// Delivers sealed copies that share a tail through the Deliverer to a sink in another process.
//   DeliverBench [copies] [bytes of content] [connections] [tls]
// Prints copies/s and CPU time per copy of the delivering process, and beside it the same bytes pushed by a bare loop
// of writes and reads over one connection (what sockets cost, whatever is built around them).
#include "gateway/deliver/Deliverer.h"
#include "tests/support/DialogPeer.h"
#include "tests/support/FakeResolver.h"
#include "tests/support/MemoryCopyQueue.h"
#include "tests/support/SealedSample.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using namespace postern;
using namespace postern::gateway;

namespace {

// Takes everything and answers at once; one thread for all connections.
class Sink {
public:
  explicit Sink(int listener) : listener_(listener), epoll_(::epoll_create1(0)) { watch(listener_); }

  [[noreturn]] void run() {
    for (;;) {
      epoll_event events[64];
      const int count = ::epoll_wait(epoll_, events, 64, -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.fd == listener_)
          accept();
        else
          read(events[i].data.fd);
      }
    }
  }

private:
  struct Connection {
    std::string in;
    bool data = false;
  };
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  static void say(int fd, const std::string& text) {
    [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }
  void accept() {
    const int fd = ::accept4(listener_, nullptr, nullptr, 0);
    if (fd < 0) return;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections_[fd] = {};
    watch(fd);
    say(fd, "220 sink\r\n");
  }
  void read(int fd) {
    char buffer[65536];
    const auto count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) {
      connections_.erase(fd);
      ::close(fd);
      return;
    }
    auto& connection = connections_[fd];
    connection.in.append(buffer, static_cast<std::size_t>(count));
    say(fd, answer(connection));
  }
  static std::string answer(Connection& connection) {
    std::string out;
    for (;;) {
      const auto end = connection.in.find(connection.data ? "\r\n.\r\n" : "\r\n");
      if (end == std::string::npos) {
        if (connection.data && connection.in.size() > 4) connection.in.erase(0, connection.in.size() - 4);
        return out;
      }
      if (connection.data) {
        out += "250 2.0.0 taken\r\n";
        connection.data = false;
        connection.in.erase(0, end + 5);
        continue;
      }
      const auto verb = connection.in.substr(0, 4);
      connection.data = verb == "DATA";
      if (verb == "EHLO")
        out += "250-sink\r\n250-PIPELINING\r\n250-SIZE 50000000\r\n250 8BITMIME\r\n";
      else
        out += verb == "DATA" ? "354 go\r\n" : verb == "QUIT" ? "221 bye\r\n" : "250 ok\r\n";
      connection.in.erase(0, end + 2);
    }
  }
  int listener_;
  int epoll_;
  std::map<int, Connection> connections_;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Meter {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  double cpu = used();
  static double used() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  void print(const char* name, std::size_t copies) const {
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%-10s %8.0f copies/s  %.4f ms CPU per copy  (%zu copies, %.2f s)\n", name,
                static_cast<double>(copies) / wall, (used() - cpu) * 1000 / static_cast<double>(copies), copies, wall);
  }
};

// The limit: the same bytes by bare writev and recv on one connection.
void bareLoop(std::uint16_t port, const std::string& head, const std::string& tail, std::size_t copies) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char buffer[4096];
  std::string commands = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
  std::size_t replies = 0;
  const auto readLines = [&](std::size_t lines) {
    for (; replies < lines;) {
      const auto count = ::recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0) std::abort();
      replies += static_cast<std::size_t>(std::count(buffer, buffer + count, '\n'));
    }
    replies -= lines;
  };
  readLines(1);
  if (::send(fd, commands.data(), commands.size(), 0) < 0) std::abort();
  readLines(3);
  const Meter meter;
  for (std::size_t i = 0; i < copies; ++i) {
    auto end = ".\r\n" + commands;
    iovec parts[3] = {{const_cast<char*>(head.data()), head.size()},
                      {const_cast<char*>(tail.data()), tail.size()},
                      {end.data(), end.size()}};
    if (::writev(fd, parts, 3) != static_cast<ssize_t>(head.size() + tail.size() + end.size())) std::abort();
    readLines(4);
  }
  meter.print("bare loop", copies);
  ::close(fd);
}

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int number, std::size_t usual) {
    return count > number ? static_cast<std::size_t>(std::atoll(arguments[number])) : usual;
  };
  const auto copies = argument(1, 10'000);
  const auto size = argument(2, 20'000);
  const auto connections = argument(3, 8);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listener, 128) != 0) return 1;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  const auto port = ntohs(address.sin_port);
  const pid_t child = ::fork();
  if (child == 0) Sink(listener).run();

  const auto body = test::SealedSample::base64(test::SealedSample().object(test::SealedSample::text(size)));
  const auto head = test::SealedSample::header() + body.substr(0, 780);
  const auto tail = std::make_shared<const std::string>(body.substr(780));
  for (int round = 0; round < 3; ++round) {
    test::MemoryCopyQueue queue;
    queue.keepEvents = false;
    test::FakeResolver resolver;
    const net::TlsClient tls("");
    const SystemClock clock;
    DelivererOptions options;
    options.client.heloName = "bench.example";
    options.schedule.connectionsPerLane = static_cast<std::uint32_t>(connections);
    Deliverer deliverer(options, queue, resolver, tls, clock);
    deliverer.setRoutes({{"*", "127.0.0.1", port, app::Route::Tls::Opportunistic}});
    deliverer.start();
    std::vector<std::pair<CopySummary, LoadedCopy>> batch;
    for (std::uint64_t key = 1; key <= copies; ++key) {
      CopySummary summary;
      summary.key = key;
      summary.destination = "d" + std::to_string(key % 500) + ".example";
      summary.protection = summary.floor = app::Protection::Smime;
      summary.queuedAt = clock.now();
      summary.expiresAt = clock.now() + std::chrono::hours(1);
      LoadedCopy copy{"board-bounces+" + std::to_string(key) + "@lists.example",
                      "r" + std::to_string(key) + "@d.example",
                      head,
                      tail,
                      app::Copy::Kind::Content,
                      summary.protection,
                      summary.floor,
                      app::TlsAsk::Usual,
                      {}};
      batch.emplace_back(summary, std::move(copy));
    }
    const Meter meter;
    queue.putAll(std::move(batch));
    if (!queue.waitForFinished(copies, std::chrono::minutes(5))) std::printf("not all copies were delivered\n");
    meter.print("deliverer", copies);
    if (deliverer.counts().delivered != copies)
      std::printf("only %zu delivered\n", static_cast<std::size_t>(deliverer.counts().delivered));
    bareLoop(port, head, *tail, copies);
  }
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  return 0;
}
