#include "core/base/Error.h"
#include "core/config/ListenWords.h"
#include "core/config/SiteConfig.h"

using namespace postern;
using config::describeSiteConfig;
using config::isSubmission;
using config::parseSiteConfig;
using config::placeOf;

namespace {

std::string complaint(std::string_view text) {
  try {
    parseSiteConfig(text, "/data", "postern.toml");
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_config_SiteConfig)

BOOST_AUTO_TEST_CASE(a_listener_may_be_for_people_and_is_shown_so) {
  const auto site =
      parseSiteConfig("[gateway]\nlisten = ['0.0.0.0:25', '[::1]:587 submission']\n", "/data", "postern.toml");
  BOOST_REQUIRE(site.listen.size() == 2u);
  BOOST_TEST(!isSubmission(site.listen[0]));
  BOOST_TEST(isSubmission(site.listen[1]));
  BOOST_TEST(placeOf(site.listen[1]).host == "::1");
  BOOST_TEST(placeOf(site.listen[1]).port == 587);
  BOOST_TEST(describeSiteConfig(site).find("\"[::1]:587 submission\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_empty_file_gives_the_defaults) {
  const auto site = parseSiteConfig("", "/data", "postern.toml");
  BOOST_TEST(site.maxMessageSize == 20u << 20);
  BOOST_TEST(site.path(site.rootKey) == "/data/keys/root.key");
}

BOOST_AUTO_TEST_CASE(reads_every_kind_of_value) {
  const auto site = parseSiteConfig(
      "[gateway]\nlisten = ['127.0.0.1:2525', '[::1]:2525']\nmax_hops = 30\n[policy]\ntimeout_ms = 500\n"
      "[delivery]\nfirst_retry = 5\n[web]\nlisten = 'localhost:8443'\n",
      "/data", "postern.toml");
  BOOST_TEST(site.listen.at(1).host == "::1");
  BOOST_TEST(site.listen.at(1).port == 2525);
  BOOST_TEST(site.maxHops == 30u);
  BOOST_TEST(site.policyTimeout.count() == 500);
  BOOST_TEST(site.firstRetry.count() == 5);
  BOOST_TEST(site.webListen.host == "localhost");
}

BOOST_AUTO_TEST_CASE(an_unknown_setting_is_an_error_with_line_and_column) {
  BOOST_TEST(complaint("[gateway]\n\nlisten_tsl = []\n").starts_with("postern.toml:3:"));
  BOOST_TEST(complaint("[gateway]\nlisten_tsl = []\n").find("listen_tls") != std::string::npos);
  BOOST_TEST(complaint("[gatway]\nlisten = []\n").find("no section [gatway]") != std::string::npos);
  BOOST_TEST(complaint("listen = 1\n").find("outside a section") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_types_ranges_and_syntax_are_errors_that_say_what_is_wanted) {
  BOOST_TEST(complaint("[gateway]\nmax_hops = 'x'\n").find("whole number") != std::string::npos);
  BOOST_TEST(complaint("[gateway]\nmax_hops = 1.5\n").find("whole number") != std::string::npos);
  BOOST_TEST(complaint("[gateway]\nmax_hops = 1\n").find("between 5 and 1000") != std::string::npos);
  BOOST_TEST(complaint("[gateway]\nlisten = ['a:25 other']\n").find("submission may") != std::string::npos);
  BOOST_TEST(complaint("[gateway]\nlisten = ['nowhere']\n").find("address and a port") != std::string::npos);
  BOOST_TEST(complaint("[gateway]\nlisten = ['a:70000']\n").find("no port number") != std::string::npos);
  BOOST_TEST(complaint("[gateway\n").starts_with("postern.toml:1:"));
  BOOST_TEST(complaint("[log]\nlevel = 'loud'\n").find("debug, info") != std::string::npos);
}

// A message that is accepted has to pass between the processes: twice in base64, in one frame.
BOOST_AUTO_TEST_CASE(no_message_may_be_larger_than_a_frame_between_the_processes_holds) {
  BOOST_TEST(complaint("[gateway]\nmax_message_size = 1073741824\n").find("between") != std::string::npos);
  BOOST_TEST(complaint("[gateway]\nmax_message_size = 134217728\n").empty());
}

BOOST_AUTO_TEST_CASE(what_it_describes_reads_back_the_same) {
  auto site = parseSiteConfig("[gateway]\nlisten = ['[::1]:25']\n", "/data", "postern.toml");
  site.hostName = "mail.example.org";
  const auto text = config::describeSiteConfig(site);
  BOOST_TEST(config::describeSiteConfig(parseSiteConfig(text, "/data", "x")) == text);
}

BOOST_AUTO_TEST_CASE(a_folder_without_a_site_says_how_to_make_one) {
  BOOST_CHECK_EXCEPTION(config::loadSiteConfig("/nonexistent"), Error,
                        [](const Error& error) { return error.message().find("init") != std::string::npos; });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_config_Inspection)

BOOST_AUTO_TEST_CASE(companions_are_read_and_shown_back) {
  const auto site = parseSiteConfig(
      "[inspection]\ndnsbl_reject = 7\n[inspection.clamav]\naddress = 'unix:/run/clamav/clamd.ctl'\n"
      "[inspection.rspamd]\naddress = '127.0.0.1:11333'\nsuspicious = 'reject'\n"
      "[[inspection.milter]]\nname = 'one'\naddress = 'unix:/run/one.sock'\n"
      "[[inspection.milter]]\nname = 'two'\naddress = '[::1]:8891'\ntimeout_ms = 5000\non_failure = 'accept'\n"
      "[[inspection.dnsbl]]\nzone = 'bl.example'\nweight = 4\nreplies = ['127.0.0.2']\n",
      "/data", "postern.toml");
  BOOST_TEST(site.dnsblReject == 7u);
  BOOST_TEST(site.spamSuspicious == "reject");
  BOOST_REQUIRE(site.milters.size() == 2u);
  BOOST_TEST(site.milters[0].failure == "defer");
  BOOST_TEST(site.milters[1].time.count() == 5000);
  const auto again = parseSiteConfig(config::describeSiteConfig(site), "/data", "postern.toml");
  BOOST_TEST((again.milters == site.milters));
  BOOST_TEST((again.dnsbls == site.dnsbls));
  BOOST_TEST(again.clamavAddress == site.clamavAddress);
}

BOOST_AUTO_TEST_CASE(companions_on_other_machines_are_refused) {
  for (const char* text :
       {"[inspection.clamav]\naddress = '192.0.2.1:3310'\n", "[inspection.rspamd]\naddress = 'rspamd.example:11333'\n",
        "[[inspection.milter]]\nname = 'm'\naddress = '203.0.113.9:8891'\n"})
    BOOST_TEST(complaint(text).find("must be on this machine") != std::string::npos);
  BOOST_TEST(complaint("[inspection.clamav]\naddress = '127.0.0.1:3310'\n").find("local socket") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_words_about_companions_say_what_is_allowed) {
  BOOST_TEST(complaint("[inspection.rspamd]\nreject = 'drop'\n").find("reject, hold, defer or accept") !=
             std::string::npos);
  BOOST_TEST(complaint("[[inspection.milter]]\nname = 'A b'\naddress = 'unix:/x'\n").find("needs a name") !=
             std::string::npos);
  BOOST_TEST(complaint("[[inspection.milter]]\nname = 'm'\naddress = 'unix:/x'\non_failure = 'open'\n")
                 .find("defer or accept") != std::string::npos);
  BOOST_TEST(complaint("[[inspection.dnsbl]]\nweight = 3\n").find("needs a zone") != std::string::npos);
  BOOST_TEST(complaint("[inspection]\nmilter = 'x'\n").find("two brackets") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
