#include "core/mailauth/Authentication.h"
#include "listd/dkim/DkimDuties.h"
#include "listd/dkim/DkimViews.h"
#include "listd/dkim/MailSigner.h"
#include "tests/unit/core/mailauth/FakeDns.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <set>

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

const std::string Body = "The  numbers \r\nof the year.\r\n\r\n";

std::string messageFrom(const std::string& address) {
  return "From: Board <" + address +
         ">\r\nTo: ann@example.org\r\nSubject: [...]\r\nDate: Mon, 2 Jan 2023 10:00:00 +0000\r\n"
         "Message-ID: <1@lists.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n";
}

struct Keys : Desk {
  std::map<std::string, app::TextAnswer> zone;
  FakeDns dns;
  DkimDuties duties{
      context, [this](const std::string& name) {
        const auto found = zone.find(name);
        return found == zone.end() ? app::TextAnswer{app::TextAnswer::Outcome::None, {}, {}} : found->second;
      }};

  Keys() {
    board();
    tools.dkim = &duties;
  }
  json add(const std::string& kind = "rsa", const std::string& domain = "lists.example") {
    return give("dkim.add", {{"domain", domain}, {"kind", kind}});
  }
  void publish(const json& key) {
    zone[key.at("name")] = {app::TextAnswer::Outcome::Found, {key.at("record").get<std::string>()}, {}};
    dns.add(key.at("name"), "TXT", key.at("record"));
  }
  json active(const std::string& kind = "rsa") {
    const auto key = add(kind);
    publish(key);
    duties.check("lists.example");
    return key;
  }
  std::string stateOf(const json& key) {
    return give("dkim.show", {{"domain", key.at("domain")}, {"selector", key.at("selector")}}).at("state");
  }
  std::string fields(const std::string& from = "board@lists.example", const std::string& list = "board@lists.example") {
    return MailSigner(context, list, {"lists.example"}).fields(messageFrom(from), Body, clock.now());
  }
  std::vector<mailauth::DkimResult> verify(const std::string& message) {
    const auto header = mail::HeaderBlock::scan(message);
    return verifyDkim(dns, *header, std::string_view(message).substr(header->bodyOffset()),
                      toMicros(clock.now()) / 1'000'000);
  }
  bool says(const std::string& part) { return has(give("status").at("problems").dump(), part); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_dkim_DkimOrders, Keys)

BOOST_AUTO_TEST_CASE(a_key_signs_once_its_record_is_in_the_dns_and_not_before) {
  const auto key = add();
  BOOST_TEST(stateOf(key) == "waiting");
  duties.check("");
  BOOST_TEST(stateOf(key) == "waiting");
  BOOST_TEST(fields().empty());
  BOOST_TEST(says("does not sign mail yet"));
  zone[key.at("name")] = {app::TextAnswer::Outcome::Found, {"v=DKIM1; k=rsa; p=AAAA"}, {}};
  duties.check("");
  BOOST_TEST(stateOf(key) == "waiting");
  publish(key);
  duties.check("");
  BOOST_TEST(stateOf(key) == "active");
  const auto results = verify(fields() + messageFrom("board@lists.example") + Body);
  BOOST_REQUIRE_EQUAL(results.size(), 1u);
  BOOST_TEST(results[0].reason == "");
  BOOST_TEST((results[0].outcome == mailauth::DkimOutcome::Pass));
  BOOST_TEST(results[0].domain == "lists.example");
  BOOST_TEST(!says("DKIM"));
  BOOST_TEST(!says("does not sign mail yet"));
}

BOOST_AUTO_TEST_CASE(rsa_and_ed25519_sign_side_by_side) {
  active("rsa");
  active("ed25519");
  const auto results = verify(fields() + messageFrom("board@lists.example") + Body);
  BOOST_REQUIRE_EQUAL(results.size(), 2u);
  std::set<std::string> algorithms;
  for (const auto& one : results) {
    BOOST_TEST((one.outcome == mailauth::DkimOutcome::Pass), one.reason);
    algorithms.insert(one.algorithm);
  }
  BOOST_TEST(algorithms.size() == 2u);
}

BOOST_AUTO_TEST_CASE(rotation_overlaps_and_ends_with_the_private_half_destroyed) {
  const auto first = active();
  clock.advance(std::chrono::hours(1));
  const auto made = give("dkim.rotate", {{"domain", "lists.example"}}).at("items").at(0);
  BOOST_TEST(refusal("dkim.rotate", {{"domain", "lists.example"}}).starts_with("exists"));
  BOOST_TEST(stateOf(first) == "active");
  publish(made);
  duties.check("");
  BOOST_TEST(stateOf(made) == "active");
  BOOST_TEST(stateOf(first) == "former");
  BOOST_TEST(has(fields(), "s=" + made.at("selector").get<std::string>()));
  BOOST_TEST(!has(fields(), "s=" + first.at("selector").get<std::string>() + ";"));
  // Gone from the DNS too early: copies that it signed may be under way.
  zone.erase(first.at("name").get<std::string>());
  duties.check("");
  BOOST_TEST(says("former key"));
  clock.advance(dkimOverlap(config) + std::chrono::hours(1));
  duties.runOnce();
  BOOST_TEST(stateOf(first) == "retired");
  const auto row = context.site.read([&](SiteTables& tables) {
    return tables.dkim.find("lists.example", first.at("selector").get<std::string>()).value();
  });
  BOOST_TEST(!context.keys.siteKey(dkimKeyName(row)));
  BOOST_TEST(!says("former key"));
  const auto log = entries();
  BOOST_TEST(std::count_if(log.begin(), log.end(), [](const auto& line) { return has(line, "dkim.key-begun"); }) == 2);
  BOOST_TEST(std::count_if(log.begin(), log.end(), [](const auto& line) { return has(line, "dkim.key-ended"); }) == 1);
}

BOOST_AUTO_TEST_CASE(each_night_the_dns_is_asked_again_and_status_says_what_to_publish) {
  const auto key = active();
  zone.erase(key.at("name").get<std::string>());
  clock.advance(std::chrono::hours(23));
  duties.runOnce();
  BOOST_TEST(!says("receivers take it for unsigned"));
  clock.advance(std::chrono::hours(2));
  duties.runOnce();
  BOOST_TEST(says("receivers take it for unsigned"));
  BOOST_TEST(says(key.at("name").get<std::string>()));
  BOOST_TEST(!fields().empty());  // signed all the same: without, no receiver could take it for signed later
  zone[key.at("name")] = {app::TextAnswer::Outcome::Failed, {}, "no answer"};
  give("dkim.check", {{"domain", "lists.example"}});
  BOOST_TEST(give("dkim.list").at("items").at(0).at("found") == "failed");
  BOOST_TEST(stateOf(key) == "active");
}

BOOST_AUTO_TEST_CASE(mail_waits_where_it_must_be_signed_and_cannot) {
  give("dkim.set", {{"subject", "board@lists.example"}, {"signing", "required"}});
  BOOST_CHECK_THROW(fields(), Error);
  BOOST_TEST(says("must be signed"));
  BOOST_TEST(fields("other@lists.example", "other@lists.example").empty());  // another list demands nothing
  const auto key = active();
  BOOST_TEST(!fields().empty());
  BOOST_TEST(!says("must be signed"));
  // Demanded or not: a key in use that is not there is a fault, never a reason to send unsigned.
  give("dkim.set", {{"subject", "board@lists.example"}, {"signing", "default"}});
  const auto row = context.site.read([&](SiteTables& tables) {
    return tables.dkim.find("lists.example", key.at("selector").get<std::string>()).value();
  });
  context.keys.destroySiteKey(dkimKeyName(row));
  context.dkimKeys.forget(row.id);
  BOOST_CHECK_THROW(fields(), Error);
  BOOST_TEST(says("is not in keys.db"));
  give("dkim.set", {{"subject", "lists.example"}, {"signing", "off"}});
  BOOST_TEST(fields().empty());
}

BOOST_AUTO_TEST_CASE(a_list_goes_before_its_domain) {
  active();
  give("dkim.set", {{"subject", "lists.example"}, {"signing", "off"}});
  BOOST_TEST(fields().empty());
  give("dkim.set", {{"subject", "board@lists.example"}, {"signing", "on"}});
  BOOST_TEST(!fields().empty());
  BOOST_TEST(give("dkim.switches").at("items").size() == 2u);
  BOOST_TEST(refusal("dkim.set", {{"subject", "nobody@lists.example"}, {"signing", "on"}}).starts_with("not-found"));
  BOOST_TEST(refusal("dkim.set", {{"subject", "elsewhere.example"}, {"signing", "on"}}).starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(nothing_is_signed_for_a_domain_that_is_not_ours) {
  active();
  BOOST_TEST(refusal("dkim.add", {{"domain", "bank.example"}}).starts_with("not-found"));
  for (const auto* from : {"ceo@bank.example", "board@lists.example.evil.example", "board@sub.lists.example"})
    BOOST_TEST(fields(from).empty(), from);
  const auto twice = "From: Ann <ann@elsewhere.example>\r\n" + messageFrom("board@lists.example");
  BOOST_TEST(MailSigner(context, "", {"lists.example"}).fields(twice, Body, clock.now()).empty());
}

BOOST_AUTO_TEST_CASE(a_key_that_somebody_may_have_is_destroyed_at_once) {
  const auto key = active();
  give("dkim.retire", {{"domain", "lists.example"}, {"selector", key.at("selector")}});
  BOOST_TEST(stateOf(key) == "retired");
  BOOST_TEST(fields().empty());
  BOOST_TEST(
      refusal("dkim.retire", {{"domain", "lists.example"}, {"selector", key.at("selector")}}).starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(the_record_is_ready_to_paste) {
  const auto key = add();
  const auto zoneText = key.at("zone").get<std::string>();
  BOOST_TEST(zoneText.starts_with(key.at("name").get<std::string>() + ". 3600 IN TXT ( \""));
  std::string joined;
  for (std::size_t from = zoneText.find('"'); from != std::string::npos;) {
    const auto end = zoneText.find('"', from + 1);
    BOOST_TEST(end - from - 1 <= 255u);
    joined += zoneText.substr(from + 1, end - from - 1);
    from = zoneText.find('"', end + 1);
  }
  BOOST_TEST(joined == key.at("record").get<std::string>());
  BOOST_TEST(joined.size() > 255u);
  BOOST_TEST(refusal("dkim.add", {{"domain", "lists.example"}, {"selector", "not good"}}).starts_with("invalid"));
  BOOST_TEST(add().at("selector") != key.at("selector"));
}

BOOST_AUTO_TEST_CASE(a_key_for_reports_signs_nothing_else_and_goes_to_the_gateway) {
  const auto key = give("dkim.add", {{"domain", "lists.example"}, {"service", "tlsrpt"}});
  BOOST_TEST(has(key.at("record"), "s=tlsrpt;"));
  BOOST_TEST(!says("tls-reports.unsigned"), "nobody sends reports");
  config.tlsReportContact = "postmaster@Lists.example";
  BOOST_TEST(says("tls-reports.unsigned"));
  publish(key);
  duties.check("");
  BOOST_TEST(!says("tls-reports.unsigned"));
  BOOST_TEST(stateOf(key) == "active");
  BOOST_TEST(fields().empty());
  const auto given = reportKeys(context);
  BOOST_REQUIRE_EQUAL(given.size(), 1u);
  BOOST_TEST(given[0].selector == key.at("selector").get<std::string>());
}

BOOST_AUTO_TEST_SUITE_END()
