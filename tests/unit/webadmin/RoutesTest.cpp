#include "tests/unit/webadmin/FakeSite.h"

#include <set>

using namespace postern;
using namespace postern::webadmin;

BOOST_AUTO_TEST_SUITE(webadmin_routes)

namespace {

// The path with every {name} filled in.
std::string examplePath(std::string_view pattern) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{') {
      path += "x";
      i = pattern.find('}', i);
    } else {
      path += pattern[i];
    }
  }
  return path;
}

// Who may come without a session. A new line here is a decision, not an oversight.
const std::set<std::string_view> Public = {"/sign-in",
                                           "/sign-in/factor",
                                           "/sign-in/passkey",
                                           "/setup/passkey",
                                           "/emergency",
                                           "/setup",
                                           "/help",
                                           "/setup/qr.svg",
                                           "/healthz",
                                           "/healthz/live",
                                           "/healthz/ready",
                                           "/metrics",
                                           "/robots.txt",
                                           "/favicon.ico",
                                           "/static/{folder}/{file}",
                                           "/api/v1/openapi.json",
                                           "/notice",
                                           "/requests/stop",
                                           "/lists/my-keys",
                                           "/lists/my-keys/open",
                                           "/lists/",
                                           "/lists/about",
                                           "/lists/confirm",
                                           "/lists/unsubscribe",
                                           "/lists/membership",
                                           "/lists/{list}/subscribe",
                                           "/lists/{list}/key",
                                           "/lists/{list}/key/certificate",
                                           "/lists/{list}/key/openpgp",
                                           "/.well-known/openpgpkey/policy",
                                           "/.well-known/openpgpkey/hu/{hash}",
                                           "/.well-known/openpgpkey/{domain}/policy",
                                           "/.well-known/openpgpkey/{domain}/hu/{hash}"};

}  // namespace

BOOST_AUTO_TEST_CASE(every_route_outside_the_gate_asks_for_a_session) {
  BOOST_REQUIRE(!routes().empty());
  for (const auto& route : routes()) {
    // Recipients have no account: listd asks for their session with each order (pickup.test.mjs tries every route).
    const bool recipients = route.path == "/pickup" || route.path.starts_with("/pickup/");
    BOOST_TEST_CONTEXT(route.path)
    BOOST_TEST((route.roles == Anyone) == (recipients || Public.contains(route.path)));
  }
}

BOOST_AUTO_TEST_CASE(a_stranger_reaches_no_page_and_no_order) {
  for (const auto& route : routes()) {
    if (route.roles == Anyone) continue;
    test::FakeSite fake;
    auto request = fake.form(examplePath(route.path), "");
    request.method = route.method;
    const auto response = fake.site.answer(request);
    BOOST_TEST_CONTEXT(route.path) {
      BOOST_TEST((response.status == 303 || response.status == 401 || response.status == 403));
      if (response.status == 303) BOOST_TEST(test::headerOf(response, "Location").starts_with("/sign-in"));
      BOOST_TEST(fake.orders.given.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(an_account_without_the_role_reaches_no_page_and_no_order) {
  for (const auto& route : routes()) {
    if (route.roles == Anyone || route.roles == SignedIn) continue;
    test::FakeSite fake;
    const auto session = fake.sessions.open("olaf", "member");
    auto request = fake.form(examplePath(route.path), session);
    request.method = route.method;
    BOOST_TEST_CONTEXT(route.path) {
      BOOST_TEST(fake.site.answer(request).status == 403);
      BOOST_TEST(fake.orders.given.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_session_that_listd_ended_opens_nothing_not_even_own_pages) {
  for (const auto& route : routes()) {
    if (route.roles == Anyone) continue;
    test::FakeSite fake;
    const auto session = fake.sessions.open("ada", "admin");
    fake.sessions.end(session);
    auto request = fake.form(examplePath(route.path), session);
    request.method = route.method;
    BOOST_TEST_CONTEXT(route.path) {
      const auto status = fake.site.answer(request).status;
      BOOST_TEST((status == 303 || status == 401));
      BOOST_TEST(fake.orders.given.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(no_form_is_obeyed_without_its_token) {
  int posts = 0;
  for (const auto& route : routes()) {
    if (route.method != Method::Post) continue;
    ++posts;
    for (const auto* forgery :
         {"none", "wrong", "foreign origin", "foreign fetch", "null origin", "token of another session"}) {
      test::FakeSite fake;
      const auto session = fake.sessions.open("ada", "admin");
      auto request = fake.request(Method::Post, examplePath(route.path), session);
      const std::string kind = forgery;
      auto token = csrf::token(session);
      if (kind == "wrong") token[0] = token[0] == 'A' ? 'B' : 'A';
      if (kind == "token of another session") token = csrf::token(fake.sessions.open("eve", "admin"));
      if (kind != "none") request.form.add("csrf", token);
      if (kind == "foreign origin") request.origin = "https://evil.example";
      if (kind == "foreign fetch") request.fetchSite = "cross-site";
      if (kind == "null origin") request.origin = "null";
      BOOST_TEST_CONTEXT(route.path << " " << forgery) {
        BOOST_TEST(fake.site.answer(request).status == 403);
        BOOST_TEST(fake.orders.given.empty());  // nor is the person signed out
      }
    }
  }
  BOOST_TEST(posts >= 14);
}

BOOST_AUTO_TEST_CASE(an_honest_form_is_obeyed) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  auto request = fake.form("/lists/board@x.example/members", session, {{"address", "new@x.example"}});
  request.origin = "null";  // what browsers send under Referrer-Policy: no-referrer
  request.fetchSite = "same-origin";
  BOOST_TEST(fake.site.answer(request).status == 303);
  BOOST_REQUIRE(fake.orders.wasGiven("member.add"));
  BOOST_TEST(fake.orders.given.back().actor.kind == "web");
  BOOST_TEST(fake.orders.given.back().actor.token == session);
  BOOST_TEST(fake.orders.given.back().actor.name.empty());  // listd knows who it is
  BOOST_TEST(fake.orders.given.back().args["list"] == "board@x.example");
}

BOOST_AUTO_TEST_CASE(segments_are_decoded_once_and_never_split) {
  const auto match = matchRoute(Method::Get, "/lists/a%2Fb%2540x");
  BOOST_REQUIRE(match.route);
  BOOST_TEST(match.params.at("list") == "a/b%40x");
  BOOST_TEST(!matchRoute(Method::Get, "/lists/%zz").route);
  BOOST_TEST(!matchRoute(Method::Get, "/lists/%00").route);
  BOOST_TEST(matchRoute(Method::Get, "/lists/").route->path ==
             "/lists/");  // the public page, never a list without a name
  BOOST_TEST(!matchRoute(Method::Get, "/posts/").route);
  BOOST_TEST(!matchRoute(Method::Get, "lists").route);
  BOOST_TEST(!matchRoute(Method::Get, "").route);
}

BOOST_AUTO_TEST_CASE(a_known_path_by_the_wrong_method_says_which_it_takes) {
  test::FakeSite fake;
  const auto response = fake.get("/sign-out", fake.sessions.open("ada", "admin"));
  BOOST_TEST(response.status == 405);
  BOOST_TEST(test::headerOf(response, "Allow") == "POST");
}

BOOST_AUTO_TEST_SUITE_END()
