#include "core/base/Log.h"
#include "tests/unit/webadmin/FakeSite.h"
#include "webadmin/Embedded.h"
#include "webadmin/Template.h"

#include <iostream>
#include <sstream>

using namespace postern;
using namespace postern::webadmin;
using test::headerOf;

BOOST_AUTO_TEST_SUITE(webadmin_site)

namespace {

// The browser's part of the sign-in form: the form cookie, then its token.
Request signInRequest(test::FakeSite& fake, const std::string& password, const std::string& oldSession = "") {
  const std::string formCookie(43, 'f');
  auto request = fake.request(Method::Post, "/sign-in");
  request.cookies.add(FormCookie, formCookie);
  if (!oldSession.empty()) request.cookies.add(SessionCookie, oldSession);
  request.form.add("csrf", csrf::token(formCookie));
  request.form.add("name", "ada");
  request.form.add("password", password);
  request.form.add("code", "123456");
  return request;
}

std::string tokenIn(const Response& response) {
  const auto cookie = headerOf(response, "Set-Cookie", SessionCookie);
  const auto start = cookie.find('=') + 1;
  return cookie.substr(start, cookie.find(';') - start);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sign_in_gives_the_secret_of_listd_in_a_guarded_cookie_and_ends_the_session_that_was_there) {
  test::FakeSite fake;
  const auto old = fake.sessions.open("ada", "admin");
  fake.orders.answers["user.factor"] = {{"name", "ada"}, {"session", {{"secret", "the secret"}, {"ref", "r"}}}};
  auto request = fake.form("/sign-in/factor", old, {{"ticket", "a ticket"}, {"code", "123456"}});
  request.cookies.add(FormCookie, std::string(43, 'f'));
  const auto response = fake.site.answer(request);
  BOOST_TEST(fake.orders.given.back().order == "session.end");
  BOOST_TEST(fake.orders.given.back().actor.token == old);
  BOOST_TEST(fake.orders.given.back().args["ref"] == fake.sessions.of(old)["ref"]);
  BOOST_TEST(response.status == 303);
  const auto cookie = headerOf(response, "Set-Cookie", SessionCookie);
  for (const auto* guard : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"})
    BOOST_TEST(cookie.find(guard) != std::string::npos);
  BOOST_TEST(cookie.find("Domain") == std::string::npos);
  BOOST_TEST(tokenIn(response) == "the secret");
}

BOOST_AUTO_TEST_CASE(a_proof_without_a_session_signs_nobody_in) {
  test::FakeSite fake;
  fake.orders.answers["user.factor"] = {{"name", "ada"}, {"role", "admin"}};
  auto request = signInRequest(fake, "right");
  request.path = "/sign-in/factor";
  const auto response = fake.site.answer(request);
  BOOST_TEST(response.status == 500);
  BOOST_TEST(headerOf(response, "Set-Cookie", SessionCookie).empty());
}

BOOST_AUTO_TEST_CASE(an_order_carries_the_secret_of_the_browser_and_names_nobody) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  BOOST_TEST(fake.get("/queue", session).status == 200);
  for (const auto& given : fake.orders.given) {
    BOOST_TEST(given.actor.kind == "web");
    BOOST_TEST(given.actor.token == session);
    BOOST_TEST(given.actor.name.empty());
  }
  // Without a session it asks as a visitor, also when the browser sends a cookie.
  fake.orders.given.clear();
  fake.orders.refusals["user.authenticate"] = {"refused", "no", ""};
  fake.site.answer(signInRequest(fake, "guess", std::string(43, 'p')));
  BOOST_REQUIRE(fake.orders.given.size() == 1u);
  BOOST_TEST(fake.orders.given[0].actor.kind == "system");
  BOOST_TEST(fake.orders.given[0].actor.token.empty());
}

BOOST_AUTO_TEST_CASE(the_password_alone_opens_no_session) {
  test::FakeSite fake;
  fake.orders.answers["user.authenticate"] = {{"ticket", "t"}, {"factors", {"totp"}}};
  const auto response = fake.site.answer(signInRequest(fake, "right"));
  BOOST_TEST(response.status == 200);
  BOOST_TEST(headerOf(response, "Set-Cookie", SessionCookie).empty());
  BOOST_TEST(response.body.find("Code from your authenticator app") != std::string::npos);
}

namespace {

// A person who sends an invitation and must prove first who they are.
struct StepUp {
  test::FakeSite fake;
  std::string session = fake.sessions.open("ada", "admin");
  std::string kept;  // the name on the page

  StepUp() { fake.orders.refusals["account.invite"] = {"step-up", "this needs you to prove again that it is you", ""}; }
  Response send(const std::string& name = "olga") {
    auto asked = fake.site.answer(fake.form("/people", session, {{"name", name}, {"role-officer", "1"}}));
    const std::string field = "name=\"kept\" value=\"";
    const auto start = asked.body.find(field) + field.size();
    kept = asked.body.substr(start, asked.body.find('"', start) - start);
    return asked;
  }
  Request proof(const std::string& by) {
    return fake.form("/step-up", by,
                     {{"path", "/people"}, {"kept", kept}, {"step-password", "pw"}, {"step-code", "1"}});
  }
  Response prove(const std::string& by) {
    fake.orders.refusals.erase("account.invite");
    return fake.site.answer(proof(by));
  }
  bool invited() { return fake.orders.wasGiven("account.invite"); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_needs_a_step_up_is_kept_and_carried_out_once_after_it) {
  StepUp step;
  const auto asked = step.send();
  BOOST_TEST(asked.status == 403);
  BOOST_TEST(step.kept.size() == 43u);
  BOOST_TEST(asked.body.find("olga") == std::string::npos);  // nothing of what was sent is in the page
  step.fake.orders.given.clear();

  step.fake.orders.refusals["session.step-up"] = {"refused", "password or code is not right", ""};
  BOOST_TEST(step.fake.site.answer(step.proof(step.session)).body.find(step.kept) != std::string::npos);
  BOOST_TEST(!step.invited());

  step.fake.orders.refusals.erase("session.step-up");
  step.prove(step.session);
  BOOST_TEST(step.invited());
  const auto sent = std::find_if(step.fake.orders.given.begin(), step.fake.orders.given.end(),
                                 [](const auto& one) { return one.order == "account.invite"; });
  BOOST_TEST(sent->args["name"] == "olga");
  BOOST_TEST(sent->actor.token == step.session);

  step.fake.orders.given.clear();
  BOOST_TEST(headerOf(step.prove(step.session), "Location") == "/people?done=too-late");
  BOOST_TEST(step.fake.orders.given.empty());
}

BOOST_AUTO_TEST_CASE(what_waits_for_a_step_up_opens_for_its_session_only) {
  StepUp step;
  step.send();
  step.fake.orders.given.clear();
  const auto other = step.fake.sessions.open("eve", "admin");
  BOOST_TEST(headerOf(step.prove(other), "Location") == "/people?done=too-late");
  auto forged = step.proof(step.session);
  forged.form = Fields{};
  const auto others = step.proof(other);
  for (const auto& [name, value] : others.form.items()) forged.form.add(name, value);
  BOOST_TEST(step.fake.site.answer(forged).status == 403);  // the form token of another
  auto foreign = step.proof(step.session);
  foreign.fetchSite = "cross-site";
  BOOST_TEST(step.fake.site.answer(foreign).status == 403);
  BOOST_TEST(!step.invited());
  step.prove(step.session);
  BOOST_TEST(step.invited());
}

BOOST_AUTO_TEST_CASE(what_waits_for_a_step_up_is_carried_out_with_the_roles_of_that_moment_and_not_for_ever) {
  StepUp step;
  step.send();
  step.fake.orders.given.clear();
  step.fake.sessions.of(step.session)["roles"] = {"auditor"};
  BOOST_TEST(step.prove(step.session).status == 403);
  BOOST_TEST(!step.invited());

  StepUp late;
  late.send();
  late.fake.orders.given.clear();
  late.fake.clock.advance(KeptForms::Lifetime);
  late.prove(late.session);
  BOOST_TEST(!late.invited());
}

BOOST_AUTO_TEST_CASE(a_step_up_alone_goes_back_to_a_page_of_this_site) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  const auto back = [&](const std::string& path) {
    return headerOf(fake.site.answer(fake.form("/step-up", session, {{"path", path}})), "Location");
  };
  BOOST_TEST(back("//evil.example") == "/account?done=stepped-up");
  BOOST_TEST(back("/people/olga/recover") == "/people/olga?done=stepped-up");  // it takes forms only
  BOOST_TEST(back("/retention?tab=1") == "/retention?tab=1&done=stepped-up");
}

BOOST_AUTO_TEST_CASE(kept_forms_have_little_room_for_each_session_and_in_all) {
  FakeClock clock{TimePoint{}};
  KeptForms kept(clock);
  const auto form = [](std::size_t size) {
    KeptForms::Form made{"/people", {}, {}};
    made.fields.add("reason", std::string(size, 'x'));
    return made;
  };
  const auto first = kept.keep("a", form(1));
  for (std::size_t i = 1; i < KeptForms::PerSession; ++i) kept.keep("a", form(1));
  BOOST_TEST(kept.pathOf("a", first).has_value());
  const auto last = kept.keep("a", form(1));
  BOOST_TEST(!kept.pathOf("a", first).has_value());
  BOOST_TEST(kept.take("a", last).has_value());
  BOOST_TEST(!kept.take("a", last).has_value());
  BOOST_TEST(!kept.keep("b", form(KeptForms::MaxBytes / 2)).empty());
  BOOST_TEST(kept.keep("c", form(KeptForms::MaxBytes / 2)).empty());
  clock.advance(KeptForms::Lifetime);
  BOOST_TEST(!kept.keep("c", form(KeptForms::MaxBytes / 2)).empty());
  BOOST_TEST(kept.keep("", form(1)).empty());
}

BOOST_AUTO_TEST_CASE(people_end_sessions_by_orders_of_their_own) {
  test::FakeSite fake;
  const auto here = fake.sessions.open("ada", "admin");
  const auto last = [&]() -> const auto& {
    return fake.orders.given.back();
  };
  fake.site.answer(fake.form("/account/session", here, {{"ref", "phone"}}));
  BOOST_TEST((last().order == "session.end" && last().args == nlohmann::json{{"ref", "phone"}}));
  fake.site.answer(fake.form("/account/session", here, {{"ref", "others"}}));
  BOOST_TEST((last().order == "session.end" && last().args.empty()));
  fake.site.answer(fake.form("/sessions", here, {{"account", "eve"}, {"ref", "r7"}}));
  BOOST_TEST((last().args == nlohmann::json{{"name", "eve"}, {"ref", "r7"}}));
  // A form that names none must not end them all.
  const auto before = fake.orders.given.size();
  for (const auto* page : {"/account/session", "/sessions"})
    BOOST_TEST(fake.site.answer(fake.form(page, here, {{"account", "eve"}})).status == 409);
  BOOST_TEST(fake.orders.given.size() == before);
  fake.site.answer(fake.form("/sign-out", here));
  BOOST_TEST((last().order == "session.end" && last().args == nlohmann::json{{"ref", fake.sessions.of(here)["ref"]}}));
}

BOOST_AUTO_TEST_CASE(nothing_is_allowed_while_listd_cannot_say_and_leaving_clears_the_browser) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  fake.orders.down = true;
  BOOST_TEST(fake.get("/queue", session).status == 503);
  BOOST_TEST(fake.get("/sign-in", session).status == 200);  // a page for everybody
  const auto left = fake.site.answer(fake.form("/sign-out", session));
  BOOST_TEST(left.status == 503);
  BOOST_TEST(headerOf(left, "Set-Cookie", SessionCookie).find("Max-Age=0") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(roles_are_those_that_listd_says_with_each_request) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  BOOST_TEST(fake.get("/queue", session).status == 200);
  fake.sessions.of(session)["roles"] = {"auditor"};
  BOOST_TEST(fake.site.answer(fake.form("/new-list", session)).status == 403);
  BOOST_TEST(!fake.orders.wasGiven("list.create"));
  fake.sessions.of(session)["kind"] = "recipient";  // who picks up mail is nobody on these pages
  BOOST_TEST(fake.get("/queue", session).status == 303);
}

BOOST_AUTO_TEST_CASE(a_refused_sign_in_opens_no_session_and_echoes_no_password) {
  test::FakeSite fake;
  fake.orders.refusals["user.authenticate"] = {"refused", "Name, password or code is not right.", ""};
  const auto response = fake.site.answer(signInRequest(fake, "s3cret-guess"));
  BOOST_TEST(response.status == 401);
  BOOST_TEST(headerOf(response, "Set-Cookie", SessionCookie).empty());
  BOOST_TEST(response.body.find("s3cret-guess") == std::string::npos);
  BOOST_TEST(response.body.find("Name, password or code is not right.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_client_that_guesses_is_not_asked_about_any_more_until_the_window_has_passed) {
  test::FakeSite fake;
  fake.orders.refusals["user.authenticate"] = {"refused", "no", ""};
  for (int i = 0; i < 3; ++i) BOOST_TEST(fake.site.answer(signInRequest(fake, "guess")).status == 401);
  const auto asked = fake.orders.given.size();
  BOOST_TEST(fake.site.answer(signInRequest(fake, "guess")).status == 429);
  BOOST_TEST(fake.orders.given.size() == asked);
  fake.clock.advance(std::chrono::minutes(5));
  BOOST_TEST(fake.site.answer(signInRequest(fake, "guess")).status == 401);
}

BOOST_AUTO_TEST_CASE(only_what_the_person_does_is_told_as_an_act) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  const auto act = [&](const char* path) {
    fake.get(path, session);
    return fake.orders.asked.back().args["act"].get<bool>();
  };
  BOOST_TEST(!act("/live/flow"));  // the script of the dashboard
  BOOST_TEST(act("/queue"));
  BOOST_TEST(act("/live/session"));  // the person wants to stay
  const auto asked = fake.orders.asked.size();
  fake.get("/healthz", session);
  fake.get("/healthz/live", session);
  fake.get("/static/css/postern.css", session);
  BOOST_TEST(fake.orders.asked.size() == asked);
}

BOOST_AUTO_TEST_CASE(a_listd_that_does_not_answer_is_503_with_what_to_do) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  fake.orders.down = true;
  const auto response = fake.get("/lists", session);
  BOOST_TEST(response.status == 503);
  BOOST_TEST(response.body.find("postern status") != std::string::npos);
  BOOST_TEST(fake.get("/healthz").status == 503);
  fake.orders.down = false;
  BOOST_TEST(fake.get("/healthz").status == 200);
  for (const auto* code : {"broken", "unavailable"}) {
    fake.orders.refusals["health"] = {code, "no", ""};
    BOOST_TEST(fake.get("/healthz").status == 503);
  }
}

BOOST_AUTO_TEST_CASE(readiness_tells_reasons_to_monitors_alone) {
  test::FakeSite fake;
  fake.orders.answers["health"] = {{"ready", false}, {"reasons", {"gateway-away"}}};
  auto request = fake.request(webadmin::Method::Get, "/healthz/ready");
  request.clientAddress = "127.0.0.1";
  auto answer = fake.site.answer(request);
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(nlohmann::json::parse(answer.body) ==
             (nlohmann::json{{"status", "not-ready"}, {"reasons", {"gateway-away"}}}));
  request.clientAddress = "192.0.2.7";
  answer = fake.site.answer(request);
  BOOST_TEST(nlohmann::json::parse(answer.body) == (nlohmann::json{{"status", "not-ready"}}));
  fake.orders.down = true;
  request.clientAddress = "::1";
  BOOST_TEST(nlohmann::json::parse(fake.site.answer(request).body).at("reasons") == nlohmann::json{"listd-away"});
}

BOOST_AUTO_TEST_CASE(metrics_are_for_monitors_and_say_what_is_away) {
  test::FakeSite fake;
  fake.orders.answers["metrics"] = {
      {"families",
       {{"postern_x_total",
         {{"help", "X."}, {"type", "counter"}, {"samples", nlohmann::json::array({{"", "reason=\"a\"", 3}})}}}}}};
  auto request = fake.request(webadmin::Method::Get, "/metrics");
  request.clientAddress = "192.0.2.7";
  BOOST_TEST(fake.site.answer(request).status == 404);
  request.clientAddress = "127.0.0.1";
  auto answer = fake.site.answer(request);
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.body.find("# TYPE postern_x_total counter\npostern_x_total{reason=\"a\"} 3\n") != std::string::npos,
             answer.body);
  fake.orders.down = true;
  answer = fake.site.answer(request);
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.body.find("postern_up{process=\"listd\"} 0\n") != std::string::npos, answer.body);
}

BOOST_AUTO_TEST_CASE(an_odd_answer_leaves_gaps_and_a_broken_order_never_shows_its_cause) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  fake.orders.answers["list.list"] = {{"items", {{{"address", nlohmann::json::array({1, 2})}}, 17, nullptr}}};
  BOOST_TEST(fake.get("/lists", session).status == 200);
  fake.orders.answers["list.list"] = nlohmann::json("text");
  BOOST_TEST(fake.get("/lists", session).status == 200);
  fake.orders.refusals["list.list"] = {"broken", "cannot write /data/listd/site.db", "see the log of listd"};
  const auto broken = fake.get("/lists", session);
  BOOST_TEST(broken.status == 500);
  BOOST_TEST(broken.body.find("site.db") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_log_names_pages_and_never_members) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  const std::string member = "/lists/board%40lists.example/members/ann%40example.org";
  std::ostringstream caught;
  log::open("test", "info");
  auto* const before = std::cerr.rdbuf(caught.rdbuf());
  auto forged = fake.form(member + "/state", session);
  forged.origin = "https://evil.example";
  const auto refused = fake.site.answer(forged).status;
  fake.orders.refusals["list.show"] = {"broken", "cause", ""};
  fake.orders.refusals["member.list"] = {"broken", "cause", ""};
  const auto broken = fake.get(member, session).status;
  fake.orders.down = true;
  const auto down = fake.get(member, session).status;
  std::cerr.rdbuf(before);
  BOOST_TEST(refused == 403);
  BOOST_TEST(broken == 500);
  BOOST_TEST(down == 503);
  BOOST_TEST(caught.str().find("/lists/{list}/members/{member}") != std::string::npos, caught.str());
  BOOST_TEST(caught.str().find("ann") == std::string::npos, caught.str());
}

BOOST_AUTO_TEST_CASE(what_mail_and_people_wrote_is_escaped) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  const std::string evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
  fake.orders.answers["trace"] = {
      {"post", {{"id", evil}, {"list", evil}, {"messageId", evil}, {"client", {{"name", evil}, {"address", evil}}}}},
      {"recipients",
       {{{"address", evil},
         {"reason", evil},
         {"protection", evil},
         {"state", evil},
         {"attempts",
          {{{"outcome", evil},
            {"remoteHost", evil},
            {"replyText", evil},
            {"tls", {{"version", evil}, {"peerName", evil}}}}}}}}}};
  fake.orders.answers["list.show"] = {{"address", evil}, {"description", evil}};
  fake.orders.answers["list.list"] = {{"items", {{{"address", evil}, {"description", evil}}}}};
  fake.orders.answers["member.list"] = {{"items", {{{"address", evil}, {"name", evil}, {"reason", evil}}}},
                                        {"total", 1}};
  fake.orders.answers["queue.list"] = {{"items", {{{"id", evil}, {"recipient", evil}, {"lastReply", evil}}}}};
  const nlohmann::json copy{
      {"id", "7"},           {"recipient", evil},
      {"destination", evil}, {"via", evil},
      {"lastReply", evil},   {"attemptList", {{{"outcome", evil}, {"remoteHost", evil}, {"replyText", evil}}}}};
  fake.orders.answers["queue.show"] = copy;
  fake.orders.answers["queue.destinations"] = {{"items", {{{"destination", evil}, {"lastReply", evil}}}}};
  fake.orders.answers["destination.list"] = {{"items", {{{"name", evil}, {"retry", {evil}}, {"connections", 1}}}}};
  for (const auto* path :
       {"/posts/1", "/lists", "/lists/x", "/lists/x/members", "/queue", "/queue/7", "/queue/7/drop", "/destinations"}) {
    const auto response = fake.get(path, session);
    BOOST_TEST_CONTEXT(path) {
      BOOST_TEST(response.status == 200);
      BOOST_TEST(response.body.find("<script>alert") == std::string::npos);
      BOOST_TEST(response.body.find("<img src=x") == std::string::npos);
      BOOST_TEST(response.body.find("&lt;script&gt;") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(plaintext_that_listd_does_not_report_is_never_shown_as_zero) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin");
  BOOST_TEST(fake.get("/", session).body.find("not reported") != std::string::npos);
  fake.orders.answers["status"] = {{"plaintextOnSecure", 0}};
  BOOST_TEST(fake.get("/", session).body.find("must read 0<") != std::string::npos);
  BOOST_TEST(fake.get("/", session).body.find("not reported") == std::string::npos);
  fake.orders.answers["status"] = {{"plaintextOnSecure", 1}};
  BOOST_TEST(fake.get("/", session).body.find("treat this as an incident") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(finished_html_is_placed_by_the_layout_alone) {
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with("templates/")) continue;
    const bool unescaped =
        file.content.find("{{{") != std::string_view::npos || file.content.find("{{&") != std::string_view::npos;
    BOOST_TEST_CONTEXT(file.path) BOOST_TEST(unescaped == (file.path == "templates/layout.html"));
  }
}

BOOST_AUTO_TEST_CASE(no_template_holds_what_the_policy_forbids) {
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with("templates/")) continue;
    BOOST_TEST_CONTEXT(file.path) {
      for (const auto* forbidden :
           {" style=", "<style", " onclick", " onload", "javascript:", "src=\"http", "href=\"http", "@import"})
        BOOST_TEST(file.content.find(forbidden) == std::string_view::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_form_of_a_template_carries_its_token) {
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with("templates/")) continue;
    for (auto at = file.content.find("<form method=\"post\""); at != std::string_view::npos;
         at = file.content.find("<form method=\"post\"", at + 1)) {
      const auto form = file.content.substr(at, file.content.find("</form>", at) - at);
      BOOST_TEST_CONTEXT(file.path) BOOST_TEST(form.find("name=\"csrf\" value=\"{{csrf}}\"") != std::string_view::npos);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
