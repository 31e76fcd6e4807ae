// A DNS that never answers: the time of a worker that it can take is bounded, and what was answered in time counts.
#include "core/base/Files.h"
#include "core/mailauth/Authentication.h"
#include "gateway/inspect/SenderChecks.h"
#include "tests/unit/core/mailauth/FakeDns.h"
#include "tests/unit/gateway/smtp/Fakes.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

using namespace postern;
using namespace postern::gateway;
using std::chrono::milliseconds;

namespace {

// Takes questions and says nothing.
struct Tarpit {
  FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::string server;

  Tarpit() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* at = reinterpret_cast<sockaddr*>(&address);
    BOOST_REQUIRE(::bind(socket.get(), at, size) == 0 && ::getsockname(socket.get(), at, &size) == 0);
    server = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
};

std::string signedBy(const std::string& domain) {
  return "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" + domain +
         "; s=s1; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n";
}

// The hash is that of an empty body.
const std::string Message = signedBy("a.slow.example") + signedBy("b.slow.example") + signedBy("c.slow.example") +
                            "From: ann@bank.example\r\nSubject: hi\r\n\r\n";

struct Scene {
  Tarpit tarpit;
  net::UnboundResolver resolver{{tarpit.server, {}, std::chrono::seconds(30)}};
  fakes::FakeDirectory directory;
  SystemClock clock{std::chrono::seconds(0)};
  Transaction transaction;
  const ClientFacts client{"192.0.2.7", ""};
  const std::string helo = "client.example";
  const app::TlsFacts tls;

  mailauth::Authentication check(const SenderChecks& checks) {
    const auto message = mail::Message::parse(Message);
    return checks.check({client, helo, tls, transaction}, *message).value();
  }
  Scene() { transaction.from = *mail::Address::parse("ann@bank.example"); }
};

milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_SlowDns, Scene)

BOOST_AUTO_TEST_CASE(all_checks_of_a_message_share_one_deadline) {
  const SenderChecks checks({SenderCheckScope::All, "mx.lists.example", milliseconds(400)}, resolver, directory, clock);
  const auto start = std::chrono::steady_clock::now();
  const auto results = check(checks);
  BOOST_TEST(since(start).count() < 1500);
  BOOST_TEST((results.spf.outcome == mailauth::SpfOutcome::TempError));
  BOOST_TEST((results.dmarc.outcome == mailauth::DmarcOutcome::TempError));
  BOOST_TEST(results.undecided());
  BOOST_TEST(results.answered == 0u);
}

BOOST_AUTO_TEST_CASE(a_dead_dns_costs_no_more_time_once_it_is_noticed) {
  const SenderChecks checks({SenderCheckScope::All, "mx.lists.example", milliseconds(200)}, resolver, directory, clock);
  for (unsigned i = 0; i < DnsBreaker::Suspicious; ++i) check(checks);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) BOOST_TEST(check(checks).undecided());
  BOOST_TEST(since(start).count() < 1000);
  BOOST_REQUIRE_EQUAL(checks.problems().size(), 1u);
  BOOST_TEST(checks.problems()[0].find("The DNS does not answer") != std::string::npos);
  BOOST_TEST(checks.problems()[0].find("(50 messages") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_more_than_so_many_messages_hold_a_worker) {
  const SenderChecks checks({SenderCheckScope::All, "mx.lists.example", milliseconds(600), 2}, resolver, directory,
                            clock);
  std::vector<std::thread> slow;
  for (int i = 0; i < 2; ++i) slow.emplace_back([&] { check(checks); });
  std::this_thread::sleep_for(milliseconds(150));
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST(check(checks).undecided());
  BOOST_TEST(since(start).count() < 300);
  for (auto& one : slow) one.join();
  BOOST_TEST(checks.problems().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
