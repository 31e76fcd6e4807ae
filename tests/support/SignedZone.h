#pragma once
#include "core/base/Files.h"
#include "core/net/Resolver.h"
#include "tests/support/TempFolder.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace postern::test {

// A real name server (nsd) on a loopback port with the zone "signed.test", signed by ldns-signzone, and the unsigned
// zones "plain.test" and "other.test". `forge`: a sed expression on the signed zone, after which its signatures no
// longer fit. `signOptions`: more for ldns-signzone.
class SignedZone {
public:
  SignedZone(const std::string& signedRecords, const std::string& plainRecords, const std::string& otherRecords,
             const std::string& forge = "", const std::string& signOptions = "") {
    write("signed.test", signedRecords);
    write("plain.test", plainRecords);
    write("other.test", otherRecords);
    const auto folder = folder_.path().string();
    const auto sign = "cd " + folder + " && K=$(ldns-keygen -a ECDSAP256SHA256 -k signed.test) && ldns-signzone -n " +
                      signOptions +
                      " -f signed "
                      "signed.test.zone $K && cp $K.ds anchor && sed '" +
                      forge + "' signed > served";
    if (run({"sh", "-c", sign}) != 0) throw std::runtime_error("cannot sign the zone: is ldnsutils there?");
    for (int tries = 0; !serve(); ++tries)
      if (tries == 5) throw std::runtime_error("nsd did not start");
  }
  ~SignedZone() {
    ::kill(process_, SIGTERM);
    int status = 0;
    ::waitpid(process_, &status, 0);
  }
  SignedZone(const SignedZone&) = delete;

  net::ResolverConfig config() const {
    net::ResolverConfig config;
    config.server = "127.0.0.1:" + std::to_string(port_);
    config.trustAnchor = folder_ / "anchor";
    config.deadline = std::chrono::seconds(10);
    return config;
  }

private:
  // False: another program had the port first.
  bool serve() {
    port_ = freePort();
    const auto folder = folder_.path().string();
    files::replaceDurably(
        folder_ / "nsd.conf",
        "server:\n ip-address: 127.0.0.1\n port: " + std::to_string(port_) + "\n username: \"\"\n zonesdir: \"" +
            folder + "\"\n pidfile: \"" + folder + "/pid\"\n xfrdfile: \"\"\n zonelistfile: \"" + folder +
            "/zone.list\"\n database: \"\"\n logfile: \"" + folder +
            "/log\"\n server-count: 1\nremote-control:\n control-enable: no\n" + zone("signed.test", "served") +
            zone("plain.test", "plain.test.zone") + zone("other.test", "other.test.zone"));
    if (run({"nsd", "-d", "-c", (folder_ / "nsd.conf").string()}, &process_) != 0)
      throw std::runtime_error("cannot start nsd");
    return isReady();
  }
  void write(const std::string& name, const std::string& records) const {
    files::replaceDurably(folder_ / (name + ".zone"), "$ORIGIN " + name + ".\n$TTL 300\n@ IN SOA ns." + name + ". a." +
                                                          name + ". 1 3600 600 86400 1\n@ IN NS ns." + name +
                                                          ".\nns IN A 127.0.0.1\n" + records);
  }
  static std::string zone(const std::string& name, const std::string& file) {
    return "zone:\n name: " + name + "\n zonefile: " + file + "\n";
  }
  bool isReady() const {
    auto asked = config();
    asked.deadline = std::chrono::seconds(1);
    for (int i = 0; i < 100; ++i) {
      int status = 0;
      if (::waitpid(process_, &status, WNOHANG) != 0) return false;
      net::UnboundResolver resolver(asked);
      if (resolver.addresses("ns.other.test").outcome == net::DnsOutcome::Found) return true;
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 100);
    }
    throw std::runtime_error("nsd runs and does not answer");
  }
  static int run(const std::vector<std::string>& command, pid_t* background = nullptr) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    if (::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return -1;
    if (background) {
      *background = child;
      return 0;
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }
  // For both transports, below the ports that the system gives to clients.
  static std::uint16_t freePort() {
    static unsigned next = static_cast<unsigned>(::getpid()) * 61;
    for (;;) {
      const auto port = static_cast<std::uint16_t>(12'000 + next++ % 20'000);
      if (isFree(SOCK_DGRAM, port) && isFree(SOCK_STREAM, port)) return port;
    }
  }
  static bool isFree(int type, std::uint16_t port) {
    const FileDescriptor fd(::socket(AF_INET, type, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  TempFolder folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = 0;
};

}  // namespace postern::test
