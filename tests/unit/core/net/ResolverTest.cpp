#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/net/Resolver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace postern;
using namespace postern::net;
using namespace std::chrono_literals;

extern char** environ;

namespace {

int run(const std::vector<std::string>& command, pid_t* background = nullptr) {
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

std::uint16_t freePort() {
  const FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t length = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

constexpr const char* Zone = R"($ORIGIN lists.test.
$TTL 300
@ IN SOA ns.lists.test. admin.lists.test. 1 3600 600 86400 60
@ IN NS ns.lists.test.
ns IN A 127.0.0.1
many IN MX 20 mx2.lists.test.
many IN MX 10 MX1.lists.test.
many IN MX 30 mx3.lists.test.
mx1 IN A 192.0.2.1
mx1 IN AAAA 2001:db8::1
mx2 IN A 10.1.2.3
implicit IN A 192.0.2.9
null IN MX 0 .
textonly IN TXT "one " "record"
_25._tcp.mx1 IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
)";

// A real name server on a loopback port with one signed zone, and what validates it.
struct NameServer {
  std::filesystem::path folder;
  std::uint16_t port = freePort();
  pid_t process = 0;

  NameServer() {
    char name[] = "/tmp/postern-nsd-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    files::replaceDurably(folder / "lists.test.zone", Zone);
    // An unsigned zone below the signed parent would be bogus; "broken" has signatures that do not fit.
    const auto folderText = folder.string();
    const auto sign = "cd " + folderText +
                      " && K=$(ldns-keygen -a ECDSAP256SHA256 -k lists.test) && ldns-signzone -n -f signed "
                      "lists.test.zone $K && cp $K.ds anchor && "
                      "sed 's/192\\.0\\.2\\.9/192.0.2.66/' signed > served";
    BOOST_REQUIRE_EQUAL(run({"sh", "-c", sign}), 0);
    files::replaceDurably(folder / "nsd.conf", "server:\n ip-address: 127.0.0.1\n port: " + std::to_string(port) +
                                                   "\n username: \"\"\n zonesdir: \"" + folderText +
                                                   "\"\n pidfile: \"" + folderText +
                                                   "/pid\"\n xfrdfile: \"\"\n zonelistfile: \"" + folderText +
                                                   "/zone.list\"\n database: \"\"\n logfile: \"" + folderText +
                                                   "/log\"\n server-count: 1\nremote-control:\n control-enable: "
                                                   "no\nzone:\n name: lists.test\n zonefile: served\n");
    BOOST_REQUIRE_EQUAL(run({"nsd", "-d", "-c", (folder / "nsd.conf").string()}, &process), 0);
  }
  ~NameServer() {
    ::kill(process, SIGTERM);
    int status = 0;
    ::waitpid(process, &status, 0);
    std::filesystem::remove_all(folder);
  }
  ResolverConfig config(bool validating) const {
    ResolverConfig config;
    config.server = "127.0.0.1:" + std::to_string(port);
    if (validating) config.trustAnchor = folder / "anchor";
    config.deadline = 10s;
    return config;
  }
  void waitUntilReady() const {
    UnboundResolver resolver(config(false));
    for (int i = 0; i < 50; ++i) {
      UnboundResolver fresh(config(false));
      if (fresh.mx("many.lists.test").outcome == DnsOutcome::Found) return;
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 100);
    }
    BOOST_FAIL("nsd did not start");
  }
};

std::size_t last(std::size_t limit) {
  return limit - 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_net_Resolver)

BOOST_AUTO_TEST_CASE(asks_a_real_server_and_validates_its_answers) {
  const NameServer server;
  server.waitUntilReady();
  for (const bool validating : {false, true}) {
    UnboundResolver resolver(server.config(validating));
    const auto hosts = findMailHosts(resolver, "many.lists.test", last);
    BOOST_REQUIRE_EQUAL(hosts.hosts.size(), 3u);
    BOOST_TEST(hosts.hosts[0].name == "mx1.lists.test");
    BOOST_TEST(hosts.hosts[1].name == "mx2.lists.test");
    BOOST_TEST(hosts.hosts[2].preference == 30);
    BOOST_TEST(hosts.secure == validating);
    BOOST_TEST((findMailHosts(resolver, "null.lists.test", last).outcome == MailHosts::Outcome::NullMx));
    const auto gone = resolver.mx("gone.lists.test");
    BOOST_TEST((gone.outcome == DnsOutcome::NoName));
    BOOST_TEST(gone.secure == validating);
    BOOST_TEST((resolver.mx("mx1.lists.test").outcome == DnsOutcome::NoData));
    BOOST_TEST((resolver.mx("other.example").outcome == DnsOutcome::Failed));  // nsd refuses: not NXDOMAIN
    const auto addresses = resolver.addresses("mx1.lists.test");
    BOOST_TEST(addresses.records == (std::vector<std::string>{"2001:db8::1", "192.0.2.1"}),
               boost::test_tools::per_element());
    BOOST_TEST(addresses.ttl.count() > 0);
    BOOST_TEST(resolver.addresses("mx2.lists.test").records.at(0) == "10.1.2.3");
    BOOST_TEST(resolver.txt("textonly.lists.test").records.at(0) == "one record");
    const auto tlsa = resolver.tlsa("_25._tcp.mx1.lists.test");
    BOOST_REQUIRE_EQUAL(tlsa.records.size(), 1u);
    BOOST_TEST(tlsa.records[0].usage == 3);
    BOOST_TEST(tlsa.records[0].data.size() == 32u);
    BOOST_TEST(tlsa.secure == validating);
    // The address of "implicit" was changed after signing.
    const auto tampered = resolver.addresses("implicit.lists.test");
    BOOST_TEST((tampered.outcome == (validating ? DnsOutcome::Bogus : DnsOutcome::Found)));
    const auto implicit = findMailHosts(resolver, "implicit.lists.test", last);
    BOOST_TEST((implicit.outcome == (validating ? MailHosts::Outcome::TryLater : MailHosts::Outcome::Found)));
  }
}

BOOST_AUTO_TEST_CASE(many_threads_share_one_resolver) {
  const NameServer server;
  server.waitUntilReady();
  UnboundResolver resolver(server.config(true));
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) found += resolver.mx("many.lists.test").outcome == DnsOutcome::Found ? 1 : 0;
    });
  for (auto& thread : threads) thread.join();
  BOOST_TEST(found == 400);
}

BOOST_AUTO_TEST_CASE(a_silent_server_ends_with_the_deadline) {
  const FileDescriptor silent(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t length = sizeof address;
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &length);
  UnboundResolver resolver({"127.0.0.1:" + std::to_string(ntohs(address.sin_port)), "", 300ms});
  const auto start = std::chrono::steady_clock::now();
  const auto answer = resolver.mx("lists.test");
  BOOST_TEST((answer.outcome == DnsOutcome::Failed));
  BOOST_TEST(answer.problem.find("did not answer") != std::string::npos);
  BOOST_TEST((std::chrono::steady_clock::now() - start < 3s));
}

BOOST_AUTO_TEST_CASE(refuses_a_server_or_anchor_that_cannot_be_used) {
  BOOST_CHECK_THROW(UnboundResolver({"nonsense:99", "", 1s}), Error);
  BOOST_TEST((UnboundResolver({"127.0.0.1:1", "", 1s}).mx("").outcome == DnsOutcome::NoName));
}

BOOST_AUTO_TEST_SUITE_END()
