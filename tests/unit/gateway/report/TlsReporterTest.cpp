#include "core/base/Files.h"
#include "gateway/report/TlsReporter.h"
#include "tests/support/FakeResolver.h"
#include "tests/support/TempFolder.h"

#include <boost/test/unit_test.hpp>

using namespace postern;
using namespace postern::gateway;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t Day = 20700;

struct TakingSender : ReportSender {
  struct Sent {
    std::string to;
    std::string bytes;
  };
  std::vector<Sent> sent;
  std::optional<std::string> answer;
  std::function<void()> before = [] {};

  std::optional<std::string> mail(const std::string&, const std::string& to, const std::string& message) override {
    before();
    sent.push_back({to, message});
    return answer;
  }
  std::optional<std::string> post(const std::string& url, const std::string& compressed) override {
    before();
    sent.push_back({url, compressed});
    return answer;
  }
};

struct Killed {};

struct World {
  test::TempFolder folder;
  FakeClock clock{TimePoint(std::chrono::days(Day)) + 10h};
  test::FakeResolver resolver;
  TakingSender sender;
  std::optional<TlsCounters> counters;

  World() { restart(); }
  void restart() {
    counters.reset();
    counters.emplace(folder / "reports", clock);
  }
  void ask(const std::string& domain, const std::string& places) {
    resolver.txtAnswers["_smtp._tls." + domain] = {
        net::DnsOutcome::Found, false, 60s, {"v=TLSRPTv1; rua=" + places}, ""};
  }
  void count(const std::string& domain, const std::string& failure = "") {
    counters->add({domain,
                   "sts",
                   {"version: STSv1", "mode: enforce"},
                   {"mx." + domain},
                   failure,
                   "mx." + domain,
                   "192.0.2.1",
                   ""});
  }
  void run() {
    TlsReporter reporter({folder / "reports", "gate.example", "postmaster@gate.example", 240min, 1000ms}, *counters,
                         resolver, sender, clock);
    reporter.runOnce();
  }
  tlsrpt::Report last() const {
    const auto& bytes = sender.sent.back().bytes;
    auto read = bytes.starts_with("From:") ? tlsrpt::readReportMail(bytes) : tlsrpt::readReport(bytes);
    BOOST_REQUIRE(read.has_value());
    return std::move(*read);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_report_TlsReporter, World)

BOOST_AUTO_TEST_CASE(a_day_is_reported_once_it_is_over_to_those_who_ask_and_to_no_others) {
  ask("a.example", "mailto:tls@a.example,https://r.a.example/x");
  count("a.example");
  count("a.example", "certificate-expired");
  count("a.example", "certificate-expired");
  count("silent.example");
  run();
  BOOST_TEST(sender.sent.empty());
  clock.advance(14h + 241min);  // past the longest wait
  run();
  BOOST_REQUIRE(sender.sent.size() == 2u);
  BOOST_TEST(sender.sent[0].to == "tls@a.example");
  BOOST_TEST(sender.sent[1].to == "https://r.a.example/x");
  const auto report = last();
  BOOST_TEST((report.begin == TimePoint(std::chrono::days(Day))));
  BOOST_REQUIRE(report.policies.size() == 1u);
  BOOST_TEST(report.policies[0].domain == "a.example");
  BOOST_TEST(report.policies[0].successful == 1u);
  BOOST_TEST(report.policies[0].failed == 2u);
  BOOST_TEST(report.policies[0].failures.at(0).sessions == 2u);
  run();
  BOOST_TEST(sender.sent.size() == 2u);
  BOOST_TEST(counters->days().empty());
}

BOOST_AUTO_TEST_CASE(the_wait_after_midnight_is_the_same_after_a_restart_and_at_most_four_hours) {
  ask("a.example", "mailto:tls@a.example");
  count("a.example");
  clock.advance(14h);
  int minutes = 0;
  for (; sender.sent.empty() && minutes <= 240; ++minutes, clock.advance(1min)) {
    counters->flush();
    restart();
    run();
  }
  BOOST_TEST(sender.sent.size() == 1u);
}

BOOST_AUTO_TEST_CASE(counts_outlive_a_restart) {
  count("a.example");
  counters->flush();
  restart();
  count("a.example");
  count("a.example", "starttls-not-supported");
  const auto day = counters->of(Day);
  BOOST_REQUIRE(day.contains("a.example"));
  BOOST_TEST(day.at("a.example").at(0).policy.successful == 2u);
  BOOST_TEST(day.at("a.example").at(0).policy.failed == 1u);
}

BOOST_AUTO_TEST_CASE(a_kill_while_a_report_leaves_does_not_send_it_twice_and_does_not_stop_the_others) {
  for (const auto* domain : {"a.example", "b.example", "c.example"}) {
    ask(domain, std::string("mailto:tls@") + domain);
    count(domain);
  }
  counters->flush();
  clock.advance(14h + 241min);
  sender.before = [this] {
    if (sender.sent.size() == 1) {
      sender.sent.push_back({"tls@b.example", ""});  // it arrived, and then the power went
      throw Killed();
    }
  };
  BOOST_CHECK_THROW(run(), Killed);
  sender.before = [] {};
  restart();
  run();
  run();
  std::vector<std::string> to;
  for (const auto& one : sender.sent) to.push_back(one.to);
  BOOST_TEST((to == std::vector<std::string>{"tls@a.example", "tls@b.example", "tls@c.example"}));
}

BOOST_AUTO_TEST_CASE(what_is_not_taken_is_tried_three_times_an_hour_apart) {
  ask("a.example", "https://r.a.example/x");
  count("a.example");
  counters->flush();
  clock.advance(14h + 241min);
  sender.answer = "no";
  for (int i = 0; i < 10; ++i) {
    run();
    run();
    BOOST_TEST(sender.sent.size() == static_cast<std::size_t>(std::min(i + 1, 3)));
    restart();
    clock.advance(61min);
  }
}

BOOST_AUTO_TEST_CASE(a_name_server_that_fails_costs_no_try_and_after_two_days_the_day_is_given_up) {
  resolver.txtAnswers["_smtp._tls.a.example"].outcome = net::DnsOutcome::Failed;
  count("a.example");
  clock.advance(14h + 241min);
  run();
  BOOST_TEST(!counters->days().empty());
  clock.advance(48h);
  run();
  BOOST_TEST(counters->days().empty());
  BOOST_TEST(sender.sent.empty());
}

BOOST_AUTO_TEST_CASE(memory_is_bounded_by_policies_and_kinds_of_failure) {
  TlsCounters small(folder / "small", clock, {3, 2, std::chrono::days(3)});
  for (int i = 0; i < 50; ++i) {
    const auto domain = "d" + std::to_string(i) + ".example";
    for (int k = 0; k < 5; ++k)
      small.add({domain, "sts", {}, {}, "validation-failure", "mx" + std::to_string(k), "192.0.2.1", ""});
  }
  const auto day = small.of(Day);
  BOOST_TEST(day.size() == 3u);
  for (const auto& [domain, policies] : day) {
    BOOST_TEST(policies.at(0).policy.failed == 5u);
    BOOST_TEST(policies.at(0).policy.failures.size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_broken_file_of_counts_costs_its_day_alone) {
  files::replaceDurably(folder / "reports" / "20699.json", "{\"no\": [");
  restart();
  count("a.example");
  BOOST_TEST(counters->of(Day).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
