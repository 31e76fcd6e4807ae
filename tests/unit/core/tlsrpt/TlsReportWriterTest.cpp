#include "core/tlsrpt/TlsReportWriter.h"

#include <boost/test/unit_test.hpp>

using namespace postern;
using namespace postern::tlsrpt;

BOOST_AUTO_TEST_SUITE(core_tlsrpt_TlsReportWriter)

namespace {

OwnReport sample() {
  OwnReport report;
  report.organization = "gate.example";
  report.contact = "postmaster@gate.example";
  report.id = "20700.abc";
  report.begin = TimePoint(std::chrono::days(20700));
  report.end = report.begin + std::chrono::hours(24) - std::chrono::seconds(1);
  OwnPolicy own;
  own.policy = {"sts", "plain.test", 7, 3, {{"certificate-expired", "", "mx.plain.test", "192.0.2.1", "expired", 3}}};
  own.strings = {"version: STSv1", "mode: enforce"};
  own.mxHosts = {"mx.plain.test"};
  report.policies = {own, {{"tlsa", "plain.test", 1, 0, {}}, {"3 1 1 00"}, {}}};
  return report;
}

void expectSample(const Result<Report, std::string>& read) {
  BOOST_REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error()));
  BOOST_TEST(read->organization == "gate.example");
  BOOST_TEST((read->begin == sample().begin && read->end == sample().end));
  BOOST_REQUIRE(read->policies.size() == 2u);
  BOOST_TEST(read->policies[0].successful == 7u);
  BOOST_TEST(read->policies[0].failed == 3u);
  BOOST_REQUIRE(read->policies[0].failures.size() == 1u);
  BOOST_TEST(read->policies[0].failures[0].type == "certificate-expired");
  BOOST_TEST(read->policies[0].failures[0].receivingAddress == "192.0.2.1");
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again_plain_packed_and_in_a_mail) {
  const auto text = writeReport(sample());
  expectSample(readReport(text));
  expectSample(readReport(gzip(text)));
  const auto mail = writeReportMail({"postmaster@gate.example", "tlsrpt@plain.test", "plain.test", "gate.example",
                                     "20700.abc", "<1@gate.example>", "Mon, 02 Mar 2026 10:00:00 +0000", "1", "2"},
                                    gzip(text));
  expectSample(readReportMail(mail));
  BOOST_TEST(mail.find("TLS-Report-Domain: plain.test\r\nTLS-Report-Submitter: gate.example\r\n") != std::string::npos);
  BOOST_TEST(mail.find("multipart/report; report-type=\"tlsrpt\"") != std::string::npos);
  BOOST_TEST(mail.find("filename=\"gate.example!plain.test!1!2.json.gz\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_of_a_mail_stay_short_whatever_the_size_of_the_report) {
  for (const std::size_t size : {0u, 1u, 56u, 57u, 58u, 114u, 5000u}) {
    const auto mail = writeReportMail({"a@b", "c@d", "d", "b", "1", "<1@b>", "now", "1", "2"}, std::string(size, 'x'));
    for (std::size_t at = 0; at < mail.size();) {
      const auto end = mail.find("\r\n", at);
      BOOST_REQUIRE(end != std::string::npos);
      BOOST_TEST(end - at <= 78u);
      at = end + 2;
    }
  }
}

BOOST_AUTO_TEST_CASE(places_come_from_the_one_record_that_is_well_formed) {
  using Places = std::vector<std::string>;
  BOOST_TEST((reportPlaces({"v=spf1 -all", "v=TLSRPTv1; rua=mailto:a@b.example"}) == Places{"mailto:a@b.example"}));
  BOOST_TEST((reportPlaces({"v=TLSRPTv1;rua=https://b.example/x , mailto:a@b.example; later=1"}) ==
              Places{"https://b.example/x", "mailto:a@b.example"}));
  for (const Places& records :
       {Places{}, Places{"v=TLSRPTv1"}, Places{"v=TLSRPTv10; rua=mailto:a@b"}, Places{"v=TLSRPTv1; rua=ftp://x"},
        Places{"v=TLSRPTv1; rua=mailto:a@b; rua=mailto:c@d"}, Places{"v=TLSRPTv1; rua=http://b.example/"},
        Places{"v=TLSRPTv1; rua=mailto:a@b", "v=TLSRPTv1; rua=mailto:c@d"}, Places{"v=TLSRPTv1; rua=mailto:a\r\nb@c"}})
    BOOST_TEST(reportPlaces(records).empty());
}

BOOST_AUTO_TEST_SUITE_END()
