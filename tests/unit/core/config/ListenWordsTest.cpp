#include "core/base/Error.h"
#include "core/config/ListenWords.h"

using namespace postern;
using config::parseListenerRules;
using config::parseSiteConfig;
using Certificate = config::ListenerRules::Certificate;

namespace {

std::string complaint(std::string_view text) {
  try {
    parseSiteConfig(text, "/data", "postern.toml");
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

bool says(std::string_view text, std::string_view what) {
  const auto all = complaint(text);
  BOOST_TEST(all.find(what) != std::string::npos, text << " -> " << all);
  return all.find(what) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_config_ListenWords)

BOOST_AUTO_TEST_CASE(words_say_what_a_listener_demands) {
  const auto none = parseListenerRules("");
  BOOST_TEST((none && !none->submission && !none->tlsRequired && !none->tls13 && !none->behindBalancers()));
  BOOST_TEST((none->certificate == Certificate::NotAsked));
  const auto all =
      parseListenerRules("submission tls=required  tls-min=1.3 certificate=required proxy=192.0.2.7,2001:db8::/64");
  BOOST_REQUIRE(all.has_value());
  BOOST_TEST((all->submission && all->tlsRequired && all->tls13 && all->certificate == Certificate::Required));
  BOOST_TEST(all->balancers.size() == 2u);
  BOOST_TEST(all->balancers[1].contains("2001:db8::9"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_with_its_place) {
  const std::string before = "[gateway]\nlisten = ['127.0.0.1:25', '127.0.0.1:26 ";
  for (const auto* words :
       {"sumbission", "tls", "tls=", "tls=maybe", "tls-min=1.1", "tls-min=1.30", "certificate=yes", "proxy=", "proxy=x",
        "proxy=192.0.2.1/24", "proxy=0.0.0.0/0", "proxy=::/0", "submission proxy=192.0.2.7 maybe"})
    BOOST_TEST(complaint(before + words + "']\n").starts_with("postern.toml:2:27: "), words);
  says("[gateway]\nlisten = ['127.0.0.1:26 proxy=0.0.0.0/0']\n", "anybody");
}

BOOST_AUTO_TEST_CASE(words_are_shown_as_they_were_given) {
  const auto site =
      parseSiteConfig("[gateway]\nlisten = ['[::]:25 tls=required tls-min=1.3']\n", "/data", "postern.toml");
  BOOST_TEST(describeSiteConfig(site).find("\"[::]:25 tls=required tls-min=1.3\"") != std::string::npos);
  BOOST_TEST(placeOf(site.listen.front()).host == "::");
  BOOST_TEST((parseSiteConfig(describeSiteConfig(site), "/data", "again").listen == site.listen));
}

BOOST_AUTO_TEST_CASE(other_names_have_a_certificate_an_end_and_their_addresses) {
  const std::string text =
      "[[gateway.alias]]\nname = 'OLD.example.org'\ncertificate = 'tls/old.pem'\ncertificate_key = 'tls/old.key'\n"
      "retires = '2027-03-31'\nafterwards = 'refuse'\naddresses = ['192.0.2.9', '2001:DB8::9']\n"
      "[[gateway.alias]]\nname = 'older.example.org'\naddresses = ['192.0.2.10']\nretires = 2026-01-01\n"
      "[[gateway.sender_tls]]\ndomain = 'Partner.example'\nleast = '1.3'\n";
  const auto site = parseSiteConfig(text, "/data", "postern.toml");
  BOOST_REQUIRE(site.aliases.size() == 2u);
  BOOST_TEST(site.aliases[0].name == "old.example.org");
  BOOST_TEST(site.aliases[0].afterwards == "refuse");
  BOOST_TEST(site.aliases[0].addresses.at(1) == "2001:db8::9");
  BOOST_TEST(site.aliases[1].retires == "2026-01-01");
  BOOST_TEST(site.aliases[1].afterwards == "warn");
  BOOST_TEST(site.senderTls.at(0).domain == "partner.example");
  const auto again = parseSiteConfig(describeSiteConfig(site), "/data", "again");
  BOOST_TEST((again.aliases == site.aliases));
  BOOST_TEST((again.senderTls == site.senderTls));
}

BOOST_AUTO_TEST_CASE(other_names_that_cannot_work_are_refused_with_their_place) {
  const std::string name = "[[gateway.alias]]\nname = 'old.example.org'\n";
  BOOST_TEST(complaint("[[gateway.alias]]\nname = 'two words'\n").starts_with("postern.toml:2:8: "));
  BOOST_TEST(complaint(name + "retires = '2027-02-30'\n").starts_with("postern.toml:3:11: "));
  says(name + "retires = 'soon'\n", "a day is wanted");
  says(name, "needs a certificate");
  says(name + "certificate = 'a.pem'\n", "belong together");
  says(name + "addresses = ['192.0.2.0/24']\n", "no IP address");
  says(name + "addresses = ['192.0.2.1']\nafterwards = 'maybe'\n", "warn or refuse");
  says(name + "addresses = ['192.0.2.1']\ncolour = 'red'\n", "unknown setting");
  says(name + "addresses = ['192.0.2.1']\n" + name + "addresses = ['192.0.2.2']\n", "twice");
  says(name + "addresses = ['192.0.2.1']\n[[gateway.alias]]\nname = 'b.example'\naddresses = ['192.0.2.1']\n",
       "belongs to old.example.org");
  says("[site]\nhost_name = 'old.example.org'\n" + name + "addresses = ['192.0.2.1']\n", "name of this server itself");
  says("[[gateway.alias]]\nname = '192.0.2.1'\naddresses = ['192.0.2.1']\n", "no host or domain name");
  says("[gateway]\nalias = 'old'\n", "two brackets");
  says("[[gateway.sender_tls]]\nleast = '1.3'\n", "whose mail");
  says("[[gateway.sender_tls]]\ndomain = 'a.example'\nleast = '1.1'\n", "1.2 or 1.3");
  says("[gateway]\nxclient_hosts = '192.0.2.7, x'\n", "\"x\" is no range");
  says("[gateway]\nxclient_hosts = '0.0.0.0/0'\n", "anybody");
  BOOST_TEST(complaint("[gateway]\nxclient_hosts = '192.0.2.7 2001:db8::/64'\n") == "");
}

BOOST_AUTO_TEST_CASE(a_reload_takes_names_senders_and_filters_over) {
  const auto before = parseSiteConfig("", "/data", "postern.toml");
  const auto after = parseSiteConfig(
      "[gateway]\nxclient_hosts = '192.0.2.7'\nlisten = ['127.0.0.1:25 tls=required']\n"
      "[[gateway.alias]]\nname = 'old.example.org'\naddresses = ['192.0.2.9']\n"
      "[[gateway.sender_tls]]\ndomain = 'partner.example'\n",
      "/data", "postern.toml");
  std::string taken, restart;
  for (const auto& change : changesBetween(before, after)) (change.reloads ? taken : restart) += change.setting + " ";
  BOOST_TEST(taken == "gateway.xclient_hosts gateway.alias gateway.sender_tls ");
  BOOST_TEST(restart == "gateway.listen ");
  const auto made = takeReloadable(before, after);
  BOOST_TEST(made.aliases.size() == 1u);
  BOOST_TEST(made.senderTls.size() == 1u);
  BOOST_TEST(made.xclientHosts == "192.0.2.7");
  BOOST_TEST(made.listen.empty());
}

BOOST_AUTO_TEST_SUITE_END()
