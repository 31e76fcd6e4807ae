#include "core/net/MtaSts.h"

using namespace postern;
using namespace postern::net;
using Mode = StsPolicy::Mode;

namespace {

std::string problemOf(const std::string& text) {
  const auto policy = parseStsPolicy(text);
  return policy ? "" : policy.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_net_MtaSts)

BOOST_AUTO_TEST_CASE(reads_the_policy_of_the_standard) {
  const auto policy = parseStsPolicy(
      "version: STSv1\r\nmode: enforce\r\nmx: mail.Example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n");
  BOOST_REQUIRE(policy.has_value());
  BOOST_TEST((policy->mode == Mode::Enforce));
  BOOST_TEST(policy->maxAge.count() == 604800);
  BOOST_TEST(policy->allows("mail.example.com"));
  BOOST_TEST(policy->allows("a.example.net"));
  BOOST_TEST(!policy->allows("example.net"));
  BOOST_TEST(!policy->allows("a.b.example.net"));
  BOOST_TEST(!policy->allows("evil.example"));
  BOOST_TEST(!policy->allows("mail.example.com.evil.example"));
  BOOST_TEST(!policy->allows(".example.net"));
}

BOOST_AUTO_TEST_CASE(takes_lf_any_order_blanks_and_fields_it_does_not_know) {
  const auto policy = parseStsPolicy("max_age:86400 \nfuture: thing\nmx:mx.a.example\n\nmode:testing\nversion:STSv1");
  BOOST_REQUIRE(policy.has_value());
  BOOST_TEST((policy->mode == Mode::Testing));
}

BOOST_AUTO_TEST_CASE(of_a_field_that_may_not_repeat_the_first_counts) {
  const auto policy =
      parseStsPolicy("version: STSv1\nmode: enforce\nmode: none\nmx: a.example\nmax_age: 10\nmax_age: 0\n");
  BOOST_REQUIRE(policy.has_value());
  BOOST_TEST((policy->mode == Mode::Enforce));
  BOOST_TEST(policy->maxAge.count() == 10);
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_policy) {
  const std::string mx = "mx: a.example\n";
  BOOST_TEST(problemOf("") != "");
  BOOST_TEST(problemOf("<html>not here</html>") != "");
  BOOST_TEST(problemOf("version: STSv2\nmode: enforce\nmax_age: 1\n" + mx) != "");
  BOOST_TEST(problemOf("version: STSv1\nmode: Enforce\nmax_age: 1\n" + mx) != "");
  BOOST_TEST(problemOf("version: STSv1\nmode: enforce\nmax_age: -1\n" + mx) != "");
  BOOST_TEST(problemOf("version: STSv1\nmode: enforce\nmax_age: 12345678901\n" + mx) != "");
  BOOST_TEST(problemOf("version: STSv1\nmode: enforce\n" + mx) != "");
  BOOST_TEST(problemOf("version: STSv1\nmode: enforce\nmax_age: 1\n") != "");
  for (const std::string bad :
       {"*", "*.", "a.*.example", "*.*.example", "-a.example", "a..example", "a b", "a.example."})
    BOOST_TEST(problemOf("version: STSv1\nmode: enforce\nmax_age: 1\nmx: " + bad + "\n") != "", bad);
  BOOST_TEST(problemOf(std::string(StsPolicy::MaxBytes + 1, '\n')) != "");
  std::string many = "version: STSv1\nmode: enforce\nmax_age: 1\n";
  for (int i = 0; i < 201; ++i) many += mx;
  BOOST_TEST(problemOf(many) != "");
  BOOST_TEST(problemOf("version: STSv1\nmode: none\nmax_age: 1\n") == "");
}

BOOST_AUTO_TEST_CASE(max_age_has_a_bound) {
  const auto policy = parseStsPolicy("version: STSv1\nmode: none\nmax_age: 9999999999\n");
  BOOST_REQUIRE(policy.has_value());
  BOOST_TEST((policy->maxAge == StsPolicy::MaxAge));
}

BOOST_AUTO_TEST_CASE(one_record_announces_a_policy) {
  BOOST_TEST(stsRecordId({"v=STSv1; id=20160831085700Z;"}).value_or("") == "20160831085700Z");
  BOOST_TEST(stsRecordId({"v=spf1 -all", "v=STSv1;id=a"}).value_or("") == "a");
  BOOST_TEST(stsRecordId({"v=STSv1 ; more=x; id=b1 "}).value_or("") == "b1");
  BOOST_TEST(!stsRecordId({}));
  BOOST_TEST(!stsRecordId({"v=STSv1; id=a", "v=STSv1; id=b"}));
  BOOST_TEST(!stsRecordId({"v=STSv10; id=a"}));
  BOOST_TEST(!stsRecordId({"v=STSv1; id=a-b"}));
  BOOST_TEST(!stsRecordId({"v=STSv1; id="}));
  BOOST_TEST(!stsRecordId({"v=STSv1; other=1"}));
  BOOST_TEST(!stsRecordId({"v=STSv1; id=" + std::string(33, 'a')}));
}

BOOST_AUTO_TEST_SUITE_END()
