// What pages of retention are told, at the level of orders.
#include "listd/retention/ArchiveCounts.h"
#include "listd/retention/CertificateWriter.h"
#include "listd/retention/RetentionRequests.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_retention_RetentionOrders)

namespace {

json ruleOf(const std::string& name, const std::string& tier, const std::string& effect, const std::string& period) {
  return {{"name", name}, {"tier", tier}, {"effect", effect}, {"period", period}};
}

json itemNamed(const json& page, const std::string& name) {
  for (const auto& item : page.at("items"))
    if (item.at("name") == name) return item;
  return nullptr;
}

bool hasProblem(const json& problems, const std::string& text) {
  return std::any_of(problems.begin(), problems.end(), [&](const auto& one) {
    return has(one.at("what").template get<std::string>(), text) && !one.at("do").template get<std::string>().empty();
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(rules_tell_what_they_match_by_the_last_count_and_which_floor_shadows_them) {
  RecordsDesk d;
  const auto news = makeList(d.context, "news@lists.example", false);
  const auto clinic = makeList(d.context, "clinic@lists.example", false);
  auto scoped = ruleOf("short", "scoped", "both", "90 days");
  scoped["scope"] = {{"lists", {news.address}}};
  auto floor = ruleOf("six years", "floor", "retain", "6 years");
  floor["locked"] = true;
  for (const auto& rule : {scoped, floor}) d.give(Olga, "rule.propose", {{"rule", rule}, {"reason", "policy"}});
  for (std::uint64_t id = 1; id <= 3; ++id) d.object(id, d.clock.now(), {id == 3 ? clinic : news});

  BOOST_TEST(itemNamed(d.give(Olga, "rule.list"), "short").at("matched").is_null());  // never a scan
  lookAfterCounts(d.tools, d.clock.now());
  auto page = d.give(Olga, "rule.list");
  BOOST_TEST(itemNamed(page, "short").at("matched") == 2);
  BOOST_TEST(itemNamed(page, "six years").at("matched") == 3);
  BOOST_TEST(itemNamed(page, "short").at("matchedAt") == toMicros(d.clock.now()));
  BOOST_TEST(itemNamed(page, "short").at("shadowedBy") == "six years");
  BOOST_TEST(has(itemNamed(page, "short").at("warning"), "90 days has no effect before the floor"));
  BOOST_TEST(itemNamed(page, "six years").at("shadowedBy").is_null());

  d.object(4, d.clock.now(), {news});
  lookAfterCounts(d.tools, d.clock.now());  // counted a moment ago
  BOOST_TEST(itemNamed(d.give(Olga, "rule.list"), "short").at("matched") == 2);
  d.clock.advance(std::chrono::hours(2));
  lookAfterCounts(d.tools, d.clock.now());
  BOOST_TEST(itemNamed(d.give(Olga, "rule.list"), "short").at("matched") == 3);
  const auto forecast = d.give(Olga, "retention.forecast", {{"months", 80}});
  std::uint64_t due = 0;
  for (const auto& month : forecast.at("items")) due += month.at("due").get<std::uint64_t>();
  BOOST_TEST(due == 3u);
  BOOST_TEST(forecast.at("noRule") == 1);
  BOOST_TEST(d.give(Olga, "retention.status").at("noRule") == 1);

  auto shorter = floor;
  shorter["id"] = itemNamed(page, "six years").at("id");
  shorter["period"] = "1 year";
  BOOST_TEST(has(d.refusal(Olga, "rule.propose", {{"rule", shorter}, {"reason", "x"}}), "refused"));
}

BOOST_AUTO_TEST_CASE(the_audit_log_says_under_which_rules_an_entry_was_made) {
  RecordsDesk d;
  lookAfterCounts(d.tools, d.clock.now());
  const auto version = [&] { return d.read([](SiteTables& tables) { return tables.audit.policyVersion(); }); };
  const auto before = version();
  BOOST_TEST(!before.empty());
  d.give(Olga, "rule.propose", {{"rule", ruleOf("D", "default", "both", "7 years")}, {"reason", "policy"}});
  BOOST_TEST(version() != before);
}

BOOST_AUTO_TEST_CASE(a_what_if_gives_the_change_back_as_it_was_asked) {
  RecordsDesk d;
  const auto rule = ruleOf("D", "default", "both", "7 years");
  const auto made = d.give(Olga, "what-if.run", {{"rule", rule}});
  BOOST_TEST(made.at("rule").at("name") == "D");
  BOOST_TEST(made.at("remove").is_null());
  BOOST_TEST(d.give(Pia, "what-if.show", {{"id", made.at("id")}}).at("rule") == made.at("rule"));
  const auto added = d.give(Olga, "rule.propose", {{"rule", made.at("rule")}, {"reason", "policy"}});
  const auto without = d.give(Olga, "what-if.run", {{"remove", added.at("id")}});
  BOOST_TEST(without.at("remove") == added.at("id"));
  BOOST_TEST(without.at("rule").is_null());
}

BOOST_AUTO_TEST_CASE(a_scheduled_run_over_the_limit_asks_by_itself_once_and_status_says_so) {
  RecordsDesk d;
  d.context.site.write([&](SiteTables& tables) {
    Run run;
    run.caller = "retention-run";
    run.at = run.startedAt = run.finishedAt = d.clock.now();
    run.startedBy = "schedule";
    run.id = tables.retention.addRun(run);
    run.state = "stopped";
    run.candidates = 5000;
    run.words = "it would destroy 5000 messages";
    tables.retention.update(run);
  });
  askForStoppedRun(d.tools);
  askForStoppedRun(d.tools);
  auto requests = d.give(Pia, "request.list").at("items");
  BOOST_REQUIRE_EQUAL(requests.size(), 1u);
  BOOST_TEST(requests[0].at("kind") == "retention.run");
  BOOST_TEST(requests[0].at("after").at("destroys") == 5000);
  BOOST_TEST(requests[0].at("mayDecide") == true);
  d.give(Pia, "request.refuse", {{"id", requests[0].at("id")}, {"words", "no"}});
  askForStoppedRun(d.tools);  // that run was answered
  BOOST_TEST(d.give(Pia, "request.list").at("items").size() == 1u);
  BOOST_TEST(hasProblem(d.give(Olga, "status").at("problems"), "retention run stopped"));
}

BOOST_AUTO_TEST_CASE(status_tells_of_the_clock_of_requests_and_of_open_emergency_accounts) {
  RecordsDesk d;
  BOOST_TEST(hasProblem(d.give(Olga, "status").at("problems"), "audit log was never anchored"));
  d.context.site.write([&](SiteTables& tables) {
    tables.audit.addAnchor({"file", 0, d.clock.now(), "x"});
    Request request;
    request.kind = "retention.run";
    request.title = "t";
    request.reason = "r";
    request.requester = "olga";
    d.context.requests.make(d.tools, tables, request);
    BreakGlass sealed;
    sealed.account = "udo";
    sealed.codeHash = "h";
    sealed.sealedBy = "root";
    sealed.sealedAt = d.clock.now();
    tables.tokens.open(tables.tokens.seal(sealed), d.clock.now(), d.clock.now() + std::chrono::hours(4), "x", "fire");
  });
  auto problems = d.give(Olga, "status").at("problems");
  BOOST_TEST(!hasProblem(problems, "anchored"));
  BOOST_TEST(!hasProblem(problems, "for an approver"));
  BOOST_TEST(hasProblem(problems, "emergency account udo is open"));
  d.clock.advance(std::chrono::days(8));
  d.context.site.write([&](SiteTables& tables) { tables.retention.distrustClock(d.clock.now(), "it jumped"); });
  problems = d.give(Olga, "status").at("problems");
  BOOST_TEST(hasProblem(problems, "last anchored on"));
  BOOST_TEST(hasProblem(problems, "1 request waits"));
  BOOST_TEST(hasProblem(problems, "nobody has reviewed it"));
  BOOST_TEST(hasProblem(problems, "The clock is not trusted"));
}

BOOST_AUTO_TEST_CASE(certificates_are_listed_and_shown_page_by_page_and_checked_on_the_first) {
  RecordsDesk d;
  BOOST_TEST(d.give(Olga, "certificate.list", {{"after", ""}}).at("items").empty());  // as the page asks
  const auto id = d.context.site.write([&](SiteTables& tables) {
    Run run;
    run.caller = "retention-run";
    run.startedAt = d.clock.now();
    const auto runId = tables.retention.addRun(run);
    for (std::uint64_t object = 1; object <= 3; ++object) {
      Disposal line;
      line.objectId = object;
      line.runId = runId;
      tables.retention.begin(line);
      tables.retention.finish(object, d.clock.now(), d.clock.now());
    }
    return runId;
  });
  finishRun(d.context, d.context.site.read([&](SiteTables& tables) { return tables.retention.run(id).value(); }), {});
  const auto listed = d.give(Olga, "certificate.list", {{"after", ""}}).at("items");
  BOOST_TEST_REQUIRE(listed.size() == 1u);
  const auto certificate = listed.front().at("id");
  const auto first = d.give(Olga, "certificate.show", {{"id", certificate}, {"limit", 2}, {"after", ""}});
  BOOST_TEST(first.at("holds") == true);
  BOOST_TEST(first.at("items").size() == 2u);
  const auto second =
      d.give(Olga, "certificate.show", {{"id", certificate}, {"limit", 2}, {"after", first.at("next")}});
  BOOST_TEST(!second.contains("holds"));
  BOOST_TEST(second.at("items").size() == 1u);
  BOOST_TEST(second.at("next") == "");
}

BOOST_AUTO_TEST_CASE(a_very_long_certificate_is_shown_without_reading_all_its_lines_and_checked_when_asked) {
  RecordsDesk d;
  const auto runId = d.context.site.write([&](SiteTables& tables) {
    Run run;
    run.caller = "retention-run";
    run.startedAt = d.clock.now();
    const auto made = tables.retention.addRun(run);
    for (std::uint64_t object = 1; object <= MostLinesInText + 1; ++object) {
      Disposal line;
      line.objectId = object;
      line.runId = made;
      tables.retention.begin(line);
      tables.retention.finish(object, d.clock.now(), d.clock.now());
    }
    return made;
  });
  finishRun(d.context, d.context.site.read([&](SiteTables& tables) { return tables.retention.run(runId).value(); }),
            {});
  const auto certificate = d.give(Olga, "certificate.list").at("items").front().at("id");
  const auto first = d.give(Olga, "certificate.show", {{"id", certificate}});
  BOOST_TEST(!first.contains("holds"));
  BOOST_TEST(first.at("text").get<std::string>().size() < 3000u);
  BOOST_TEST(first.at("items").size() == 100u);
  BOOST_TEST(d.give(Olga, "certificate.show", {{"id", certificate}, {"check", true}}).at("holds") == true);
  d.context.site.write([&](SiteTables& tables) {
    Disposal extra;
    extra.objectId = MostLinesInText + 2;
    extra.runId = runId;
    tables.retention.begin(extra);
    tables.retention.finish(extra.objectId, d.clock.now(), d.clock.now());
  });
  BOOST_TEST(d.give(Olga, "certificate.show", {{"id", certificate}, {"check", true}}).at("holds") == false);
}

BOOST_AUTO_TEST_CASE(a_review_can_put_messages_on_hold_in_a_matter) {
  RecordsDesk d;
  const auto news = makeList(d.context, "news@lists.example", false);
  d.object(1, d.clock.now(), {news});
  d.context.site.write([&](SiteTables& tables) {
    tables.retention.askReview({1, news.id, 1, d.clock.now(), "waiting", {}});
  });
  BOOST_TEST(d.give(Olga, "review.list").at("waiting") == 1);
  const auto matter = d.matter();
  const json args{{"objects", {{{"object", "1"}, {"list", news.address}}}},
                  {"decision", "hold"},
                  {"reason", "a claim may come"},
                  {"matter", matter}};
  BOOST_TEST(has(d.refusal(Pia, "review.decide", args), "denied"));
  const auto decided = d.give(Olga, "review.decide", args);
  BOOST_TEST(decided.at("changed") == 1);
  BOOST_REQUIRE_EQUAL(decided.at("holds").size(), 1u);
  BOOST_TEST(decided.at("holds")[0].at("state") == "in-force");
  const auto held = d.read(
      [&](SiteTables& tables) { return Assessment(tables, d.clock.now()).held(tables.archive.message(1).value()); });
  BOOST_TEST(held);
}

BOOST_AUTO_TEST_SUITE_END()
