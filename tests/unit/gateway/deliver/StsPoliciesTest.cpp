#include "core/base/Files.h"
#include "gateway/deliver/StsPolicies.h"
#include "tests/support/DialogPeer.h"
#include "tests/support/FakeResolver.h"
#include "tests/support/TempFolder.h"

#include <future>

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using Mode = net::StsPolicy::Mode;

namespace {

const std::string Enforce = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 604800\n";

struct FakeHttps : net::HttpsClient {
  net::HttpsDocument document{200, "text/plain; charset=utf-8", Enforce};
  std::string failure;
  std::function<void(const net::HttpsRequest&)> before;
  std::atomic<int> asked{0};

  Result<net::HttpsDocument, std::string> get(const net::HttpsRequest& request) override {
    ++asked;
    if (before) before(request);
    if (!failure.empty()) return Unexpected(failure);
    return document;
  }
};

struct Fixture {
  TempFolder folder;
  FakeResolver resolver;
  FakeHttps https;
  FakeClock clock{TimePoint(std::chrono::hours(480000))};
  std::optional<StsPolicies> policies;

  Fixture() {
    announce("1");
    resolver.host("mta-sts.example.org", {"127.0.0.1"});
    restart();
  }
  void announce(const std::string& id, const std::string& domain = "example.org") {
    resolver.txtAnswers["_mta-sts." + domain] = {net::DnsOutcome::Found,      false, 60s,
                                                 {"v=STSv1; id=" + id + ";"}, "",    ""};
  }
  void restart() { policies.emplace(StsPolicies::Options{folder / "mta-sts"}, resolver, https, clock); }
  StsFinding find() { return policies->find("example.org"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_StsPolicies, Fixture)

BOOST_AUTO_TEST_CASE(fetches_a_policy_once_and_keeps_it_over_a_restart) {
  BOOST_REQUIRE(find().policy.has_value());
  BOOST_TEST((find().policy->mode == Mode::Enforce));
  BOOST_TEST(find().id == "1");
  restart();
  BOOST_TEST(find().policy.has_value());
  BOOST_TEST(https.asked == 1);
}

BOOST_AUTO_TEST_CASE(a_domain_that_announces_nothing_is_not_asked) {
  resolver.txtAnswers.clear();
  BOOST_TEST(!find().policy);
  BOOST_TEST(find().problem.empty());
  BOOST_TEST(https.asked == 0);
}

BOOST_AUTO_TEST_CASE(a_known_policy_outlives_lost_dns_and_lost_https_until_its_age_is_over) {
  find();
  resolver.txtAnswers.clear();
  https.failure = "connection refused";
  clock.advance(6 * 24h);
  BOOST_TEST(find().policy.has_value());
  announce("2");
  BOOST_TEST(find().policy.has_value());
  BOOST_TEST(find().problem.find("connection refused") != std::string::npos);
  clock.advance(2 * 24h);
  BOOST_TEST(!find().policy.has_value());
}

BOOST_AUTO_TEST_CASE(a_new_id_is_fetched_anew) {
  find();
  announce("2");
  https.document.body = "version: STSv1\nmode: testing\nmx: other.example\nmax_age: 100000\n";
  BOOST_TEST((find().policy->mode == Mode::Testing));
  BOOST_TEST(find().id == "2");
  BOOST_TEST(https.asked == 2);
}

BOOST_AUTO_TEST_CASE(a_day_old_policy_is_refreshed) {
  find();
  clock.advance(25h);
  find();
  BOOST_TEST(https.asked == 2);
  clock.advance(6 * 24h + 23h);  // older than max_age since the first fetch, not since the second
  BOOST_TEST(find().policy.has_value());
}

BOOST_AUTO_TEST_CASE(a_failed_fetch_is_not_repeated_at_once) {
  https.failure = "timed out";
  for (int i = 0; i < 5; ++i) BOOST_TEST(!find().policy);
  BOOST_TEST(https.asked == 1);
  clock.advance(6min);
  https.failure.clear();
  BOOST_TEST(find().policy.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_policy_is_refused_with_the_reason) {
  const auto problem = [&](net::HttpsDocument document) {
    https.document = std::move(document);
    clock.advance(10min);
    const auto finding = find();
    BOOST_TEST(!finding.policy);
    return finding.problem;
  };
  BOOST_TEST(problem({301, "text/plain", Enforce}).find("301") != std::string::npos);
  BOOST_TEST(problem({404, "text/plain", ""}).find("404") != std::string::npos);
  BOOST_TEST(problem({200, "text/html", Enforce}).find("text/plain") != std::string::npos);
  BOOST_TEST(problem({200, "", Enforce}).find("text/plain") != std::string::npos);
  BOOST_TEST(problem({200, "text/plain", "hello"}) != "");
}

BOOST_AUTO_TEST_CASE(a_spoilt_cache_file_is_no_policy) {
  find();
  files::replaceDurably(folder / "mta-sts" / "example.org", "\x01garbage");
  https.failure = "down";
  restart();
  BOOST_TEST(!find().policy);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_a_path_is_never_looked_up) {
  for (const std::string domain : {"../../etc", "a/b", "", ".hidden", "A.example"})
    BOOST_TEST(!policies->find(domain).policy);
  BOOST_TEST(https.asked == 0);
}

BOOST_AUTO_TEST_CASE(a_slow_host_of_one_domain_does_not_hold_up_another) {
  announce("1", "slow.example");
  resolver.host("mta-sts.slow.example", {"127.0.0.1"});
  std::promise<void> release;
  auto released = release.get_future().share();
  https.before = [released](const net::HttpsRequest& request) {
    if (request.host == "mta-sts.slow.example") released.wait();
  };
  auto slow = std::async(std::launch::async, [&] { return policies->find("slow.example"); });
  while (https.asked == 0) std::this_thread::yield();
  auto quick = std::async(std::launch::async, [&] { return find(); });
  BOOST_TEST((quick.wait_for(10s) == std::future_status::ready));
  BOOST_TEST(quick.get().policy.has_value());
  release.set_value();
  BOOST_TEST(slow.get().policy.has_value());
}

BOOST_AUTO_TEST_CASE(the_real_client_takes_a_policy_from_its_proven_host_only) {
  const TlsTestCertificates certificates;
  const auto served = [&](const TlsTestCertificates::Server& certificate, const std::string& answer) {
    DialogPeer peer([&](DialogSession& session) {
      if (!session.startTls(certificate)) return;
      while (auto line = session.line())
        if (line->empty()) break;
      session.send(answer);
    });
    net::CurlHttpsClient client(certificates.caFile());
    net::HttpsRequest request;
    request.host = "mta-sts.example.org";
    request.port = peer.port();
    request.addresses = {"127.0.0.1"};
    request.path = "/.well-known/mta-sts.txt";
    request.maxBytes = 1000;
    request.limit = 5s;
    return client.get(request);
  };
  const auto good = certificates.server("mta-sts.example.org");
  const std::string body = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + Enforce;
  const auto document = served(good, body);
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(document->status == 200);
  BOOST_TEST(document->contentType == "text/plain");
  BOOST_TEST(document->body == Enforce);
  BOOST_TEST(!served(certificates.server("www.example.org"), body));
  BOOST_TEST(!served(certificates.expired("mta-sts.example.org"), body));
  BOOST_TEST(!served(certificates.selfSigned("mta-sts.example.org"), body));
  BOOST_TEST(!served(good, body + std::string(2000, 'x')));
  const auto moved = served(good, "HTTP/1.1 301 Moved\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n");
  BOOST_REQUIRE(moved.has_value());
  BOOST_TEST(moved->status == 301);
}

BOOST_AUTO_TEST_SUITE_END()
