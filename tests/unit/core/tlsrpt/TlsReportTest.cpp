#include "core/tlsrpt/TlsReport.h"

#include <zlib.h>

using namespace postern;

namespace {

// The example of RFC 8460, appendix B, shortened by its middle failure.
const std::string Example = R"({"organization-name":"Company-X",
"date-range":{"start-datetime":"2016-04-01T00:00:00Z","end-datetime":"2016-04-01T23:59:59Z"},
"contact-info":"sts-reporting@company-x.example","report-id":"5065427c-23d3-47ca-b6e0-946ea0e8c4be",
"policies":[{"policy":{"policy-type":"sts","policy-string":["version: STSv1","mode: testing","mx: *.mail.company-y.example",
"max_age: 86400"],"policy-domain":"Company-Y.example","mx-host":["*.mail.company-y.example"]},
"summary":{"total-successful-session-count":5326,"total-failure-session-count":303},
"failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"2001:db8:abcd:0012::1",
"receiving-mx-hostname":"mx1.mail.company-y.example","failed-session-count":100},
{"result-type":"validation-failure","sending-mta-ip":"198.51.100.62","receiving-ip":"203.0.113.58",
"receiving-mx-hostname":"mx-backup.mail.company-y.example","failed-session-count":3,
"failure-reason-code":"X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"}]}]})";

std::string gzip(const std::string& plain) {
  z_stream stream{};
  BOOST_REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, plain.size()) + 64, '\0');
  auto in = plain;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  BOOST_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) text += i + j > bytes.size() ? '=' : Letters[group >> (18 - 6 * j) & 63];
    if (i % 57 == 54) text += "\r\n";
  }
  return text;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

std::string problem(const std::string& bytes) {
  const auto report = tlsrpt::readReport(bytes);
  return report ? std::string() : report.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_tlsrpt_TlsReport)

BOOST_AUTO_TEST_CASE(reads_the_example_of_the_rfc_packed_and_plain) {
  for (const auto& bytes : {Example, gzip(Example)}) {
    const auto report = tlsrpt::readReport(bytes);
    BOOST_REQUIRE_MESSAGE(report.has_value(), problem(bytes));
    BOOST_TEST(report->organization == "Company-X");
    BOOST_TEST(formatRfc3339(report->begin) == "2016-04-01T00:00:00Z");
    BOOST_TEST(formatRfc3339(report->end) == "2016-04-01T23:59:59Z");
    BOOST_REQUIRE(report->policies.size() == 1u);
    const auto& policy = report->policies[0];
    BOOST_TEST(policy.type == "sts");
    BOOST_TEST(policy.domain == "company-y.example");
    BOOST_TEST(policy.successful == 5326u);
    BOOST_TEST(policy.failed == 303u);
    BOOST_REQUIRE(policy.failures.size() == 2u);
    BOOST_TEST(policy.failures[0].type == "certificate-expired");
    BOOST_TEST(policy.failures[0].sessions == 100u);
    BOOST_TEST(policy.failures[1].reason == "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED");
  }
}

BOOST_AUTO_TEST_CASE(finds_the_report_in_a_mail) {
  const auto mail = [](const std::string& type, const std::string& body) {
    return "From: tlsrpt@mail.sender.example.com\r\nTo: mts-sts-tlsrpt@example.net\r\nSubject: Report Domain: "
           "example.net\r\nTLS-Report-Domain: example.net\r\nTLS-Report-Submitter: mail.sender.example.com\r\n"
           "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=\"tlsrpt\"; boundary=\"b\"\r\n\r\n"
           "--b\r\nContent-Type: text/plain\r\n\r\nThis is a report.\r\n--b\r\nContent-Type: " +
           type + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body + "\r\n--b--\r\n";
  };
  auto report = tlsrpt::readReportMail(mail("application/tlsrpt+gzip", base64(gzip(Example))));
  BOOST_REQUIRE_MESSAGE(report.has_value(), (report ? std::string() : report.error()));
  BOOST_TEST(report->policies[0].failed == 303u);
  BOOST_TEST(tlsrpt::readReportMail(mail("application/tlsrpt+json", base64(Example))).has_value());
  report = tlsrpt::readReportMail(mail("application/pdf", base64(Example)));
  BOOST_REQUIRE(!report.has_value());
  BOOST_TEST(report.error().find("application/tlsrpt") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bomb_is_refused_before_it_is_unpacked) {
  const auto bomb = gzip(std::string(tlsrpt::MaxJson + 1, ' '));
  BOOST_TEST(bomb.size() < 100'000u);
  BOOST_TEST(problem(bomb) == "the report is too large when unpacked");
  BOOST_TEST(problem("\x1f\x8b" + std::string(tlsrpt::MaxCompressed, 'x')) == "the report is too large");
  auto cut = gzip(Example);
  cut.resize(cut.size() / 2);
  BOOST_TEST(problem(cut) == "the report is no whole gzip file");
}

BOOST_AUTO_TEST_CASE(what_a_hostile_site_writes_is_refused_or_made_harmless) {
  BOOST_TEST(!problem("").empty());
  BOOST_TEST(!problem("[]").empty());
  BOOST_TEST(!problem(std::string(200'000, '[')).empty());
  BOOST_TEST(!problem("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}").empty());
  BOOST_TEST(!problem(replaced(Example, "5326", "-1")).empty());
  BOOST_TEST(!problem(replaced(Example, "5326", "\"5326\"")).empty());
  BOOST_TEST(!problem(replaced(Example, "303", "99999999999")).empty());
  BOOST_TEST(!problem(replaced(Example, "2016-04-01T23", "2016-03-01T23")).empty());  // ends before it begins
  BOOST_TEST(!problem(replaced(Example, "2016-04-01T00", "2016-02-30T00")).empty());
  BOOST_TEST(!problem(replaced(Example, "Company-Y.example", "")).empty());
  BOOST_TEST(problem(replaced(Example, "2016-04-01T00:00:00Z", "2016-04-01T02:00:00.5+02:00")).empty());

  const auto report =
      tlsrpt::readReport(replaced(Example, "Company-X", "a\\u001b[2J\\r\\nFailed: 0" + std::string(2000, 'x')));
  BOOST_REQUIRE(report.has_value());
  BOOST_TEST(report->organization.starts_with("a [2J  Failed: 0x"));
  BOOST_TEST(report->organization.size() == tlsrpt::MaxText);

  std::string many = "[";
  for (std::size_t i = 0; i <= tlsrpt::MaxFailures; ++i) many += i == 0 ? "{}" : ",{}";
  const auto details = Example.find("\"failure-details\":[") + 18;
  BOOST_TEST(problem(Example.substr(0, details) + many + "]}]}") == "the report lists too many failures");
}

BOOST_AUTO_TEST_SUITE_END()
