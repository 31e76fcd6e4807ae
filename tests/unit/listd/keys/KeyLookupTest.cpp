// Looking for keys in directories: what is asked, what is believed, and what is asked again.
#include "listd/keys/KeyLookup.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

using Outcome = app::FetchedDocument::Outcome;

mail::Address at(const std::string& text) {
  return mail::Address::parse(text).value();
}

struct Scene : Desk {
  std::vector<std::string> urls;
  std::map<std::string, app::FetchedDocument> web;
  app::LdapAnswer ldap;
  std::vector<app::LdapQuestion> questions;

  Scene() {
    board();
    give("member.add", {{"list", "board@lists.example"}, {"address", "ann@example.org"}});
    config.webKeyDirectories = "on";
  }
  KeyLookup lookup() {
    return {context,
            [this](const app::DocumentRequest& request) -> app::FetchedDocument {
              urls.push_back(request.url);
              BOOST_TEST(request.secureOnly);
              const auto found = web.find(request.url);
              return found == web.end() ? app::FetchedDocument{{}, "away", Outcome::Failed} : found->second;
            },
            [this](const app::LdapQuestion& question) {
              questions.push_back(question);
              return ldap;
            }};
  }
  std::vector<LookupAnswer> lookUp(const std::string& person) {
    auto place = lookup();
    auto answers = place.lookUp(at(person));
    context.site.write([&](SiteTables& tables) { KeyLookup::keep(tables, person, answers, clock.now()); });
    return answers;
  }
  bool noted(const std::string& person) {
    return context.site.read([&](SiteTables& tables) { return tables.directories.lookup(person).has_value(); });
  }
  std::vector<std::string> due() {
    const auto now = clock.now();
    return context.site.read([&](SiteTables& tables) {
      return tables.directories.addressesToLookUp({}, now, now - std::chrono::hours(24), 10);
    });
  }
  json directory(const json& more = json::object()) {
    json args{{"name", "people"}, {"url", "ldaps://ldap.example.org"}, {"domains", "example.org, example.com"}};
    args.update(more);
    return args;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_keys_KeyLookup)

BOOST_AUTO_TEST_CASE(the_places_of_a_web_key_are_those_of_the_draft) {
  const auto places = webKeyPlaces(at("Joe.Doe@example.org"));
  BOOST_REQUIRE_EQUAL(places.size(), 2u);
  BOOST_TEST(places[0] ==
             "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q"
             "?l=Joe.Doe");
  BOOST_TEST(places[1] == "https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe");
  BOOST_TEST(webKeyPlaces(at("a&b=c@example.org"))[1].ends_with("?l=a%26b%3dc"));
}

BOOST_AUTO_TEST_CASE(an_address_cannot_change_the_filter_that_it_is_put_into) {
  BOOST_TEST(filterFor("(mail=%a)", at("ann@example.org")) == "(mail=ann@example.org)");
  BOOST_TEST(filterFor("(&(uid=%l)(dc=%d))", at("ann@example.org")) == "(&(uid=ann)(dc=example.org))");
  const auto sly = filterFor("(mail=%a)", at("\"*)(uid=ann\"@example.org"));
  BOOST_TEST(sly.find('*') == std::string::npos, sly);
  BOOST_TEST(sly.find('(', 1) == std::string::npos, sly);
  BOOST_TEST(filterFor("(mail=%a)", at("a*b@example.org")) == "(mail=a\\2ab@example.org)");
  BOOST_TEST(filterFor("(cn=100%)", at("ann@example.org")) == "(cn=100%)");
}

BOOST_AUTO_TEST_CASE(the_direct_place_is_asked_only_where_the_advanced_one_has_no_host) {
  Scene s;
  const auto places = webKeyPlaces(at("ann@example.org"));
  s.lookUp("ann@example.org");
  BOOST_TEST(s.urls == std::vector<std::string>{places[0]}, boost::test_tools::per_element());
  s.urls.clear();
  s.web[places[0]] = {{}, "no such host", Outcome::NoHost};
  s.web[places[1]] = {{}, "404", Outcome::NotThere};
  s.lookUp("ann@example.org");
  BOOST_TEST(s.urls == places, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(only_an_answer_puts_the_next_look_up_off) {
  Scene s;
  BOOST_TEST(s.due().size() == 1u);
  s.lookUp("ann@example.org");
  BOOST_TEST(!s.noted("ann@example.org"));
  BOOST_TEST(s.due().size() == 1u);
  s.web[webKeyPlaces(at("ann@example.org"))[0]] = {{}, "404", Outcome::NotThere};
  s.lookUp("ann@example.org");
  BOOST_TEST(s.noted("ann@example.org"));
  BOOST_TEST(s.due().empty());
  s.clock.advance(std::chrono::hours(25));
  BOOST_TEST(s.due().size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_no_key_of_the_address_is_told_and_not_used) {
  Scene s;
  s.web[webKeyPlaces(at("ann@example.org"))[0]] = {"<html>sorry</html>", {}, Outcome::Got};
  const auto answers = s.lookUp("ann@example.org");
  BOOST_REQUIRE_EQUAL(answers.size(), 1u);
  BOOST_REQUIRE_EQUAL(answers[0].findings.size(), 1u);
  BOOST_TEST(!answers[0].findings[0].key.has_value());
  BOOST_TEST(s.give("key.list", {{"address", "ann@example.org"}}).at("items").empty());
}

BOOST_AUTO_TEST_CASE(a_directory_is_asked_for_its_own_domains_only_and_gets_its_password) {
  Scene s;
  s.config.webKeyDirectories = "off";
  s.give("directory.add", s.directory({{"bindName", "cn=reader"}, {"password", "secret\n"}}));
  s.lookUp("eve@elsewhere.example");
  BOOST_TEST(s.questions.empty());
  s.lookUp("ann@example.com");
  BOOST_REQUIRE_EQUAL(s.questions.size(), 1u);
  BOOST_TEST(s.questions[0].bindSecret.view() == "secret");
  BOOST_TEST(s.questions[0].filter == "(mail=ann@example.com)");
  for (const auto& entry : s.entries()) BOOST_TEST(entry.find("secret") == std::string::npos, entry);
  s.give("directory.remove", {{"name", "people"}});
  BOOST_TEST(!s.context.keys.siteKey("directory people").has_value());
}

BOOST_AUTO_TEST_CASE(what_a_directory_said_last_and_what_went_wrong_last_is_told_without_naming_anybody) {
  Scene s;
  s.config.webKeyDirectories = "off";
  s.give("directory.add", s.directory());
  const auto shown = [&] { return s.give("directory.list").at("items").at(0); };
  BOOST_TEST(shown().at("answeredAt") == 0);
  BOOST_TEST(shown().at("failedAt") == 0);
  s.ldap = {{}, 0, "the directory does not answer"};
  s.lookUp("ann@example.org");
  BOOST_TEST(shown().at("answeredAt") == 0);
  BOOST_TEST(shown().at("failure") == "the directory does not answer");
  BOOST_TEST(shown().at("failedAt") == toMicros(s.clock.now()));
  s.clock.advance(std::chrono::hours(1));
  s.ldap = {};
  s.lookUp("ann@example.org");
  BOOST_TEST(shown().at("answer") == "no entry fits");
  BOOST_TEST(shown().at("answeredAt") > shown().at("failedAt"));
  BOOST_TEST(shown().dump().find("ann@") == std::string::npos);
  s.lookUp("eve@elsewhere.example");  // it was not asked for her
  BOOST_TEST(shown().at("answer") == "no entry fits");
  s.give("directory.add", s.directory());
  BOOST_TEST(shown().at("answeredAt") == 0);
}

BOOST_AUTO_TEST_CASE(a_directory_that_could_give_anybodys_key_is_refused) {
  Scene s;
  const auto refusal = [&](const json& more) { return s.refusal("directory.add", s.directory(more)); };
  BOOST_TEST(refusal({{"filter", "(mail=*)"}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"filter", "(mail=%a"}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"filter", "mail=%a)("}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"url", "http://ldap.example.org"}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"url", "ldap://ldap.example.org/dc=x"}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"domains", ""}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"bindName", "cn=reader"}}).starts_with("invalid"));
  BOOST_TEST(refusal({{"name", "../x"}}).starts_with("invalid"));
  BOOST_TEST(refusal(json::object()).empty());
}

BOOST_AUTO_TEST_SUITE_END()
