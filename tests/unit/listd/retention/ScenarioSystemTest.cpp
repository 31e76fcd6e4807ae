// Scenarios 7 to 12 and E6 on a whole site: real holds, real index, real orders. Held or not due: readable; due: gone.
#include "tests/unit/listd/retention/SystemSite.h"

using namespace postern;
using namespace postern::test;

namespace {

const json DefaultOfOneYear{{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}};

json byAddress(const std::string& address) {
  return {{"addresses", {address}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_retention_ScenarioSystem)

BOOST_AUTO_TEST_CASE(scenario_7_a_hold_and_then_its_grace_keep_what_is_due) {
  SystemSite site;
  site.rule(DefaultOfOneYear);
  const auto m = site.receive({"a"}, "2024-01-01", "one");
  site.indexAll();
  site.goTo("2024-12-31T23:59:59");
  const auto hold = site.hold(onList("a"));
  site.kept(m, "2025-01-02");
  site.goTo("2025-06-01");
  site.release(hold);
  site.kept(m, "2025-06-15");
  site.kept(m, "2025-06-30T23:59:59");
  site.gone(m, "2025-07-01");
  site.noCanary();
}

BOOST_AUTO_TEST_CASE(scenario_8_one_hold_alone_keeps_what_two_matched) {
  SystemSite site;
  site.rule(DefaultOfOneYear);
  const auto m1 = site.receive({"a"}, "2024-01-01", "one", {}, "bob@example.org");
  const auto m2 = site.receive({"a"}, "2024-01-01", "two", {}, "carol@example.org");
  site.indexAll();
  site.goTo("2024-03-01");
  const auto first = site.hold(onList("a"));
  site.goTo("2024-09-01");
  site.hold(byAddress("bob@example.org"));
  site.goTo("2025-02-01");
  site.release(first);
  site.kept(m2, "2025-03-02T23:59:59");
  site.gone(m2, "2025-03-03");
  site.kept(m1, "2025-04-01");
  site.kept(m1, "2031-01-01");
}

BOOST_AUTO_TEST_CASE(scenario_9_days_of_a_hold_match_receipt_or_date_field) {
  SystemSite site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "90 days"}});
  const auto m4 = site.receive({"a"}, "2024-12-31T23:59:59", "four");
  site.goTo("2025-02-10");
  site.hold({{"lists", {"a@lists.example"}}, {"from", "2025-01-01"}, {"until", "2025-03-31"}});
  site.goTo("2025-04-03");
  const auto m1 = site.receive({"a"}, "2025-03-31T23:59:59", "one");
  const auto m2 = site.receive({"a"}, "2025-04-01", "two");
  const auto m3 = site.receive({"a"}, "2025-04-02", "three", "2025-03-15");
  site.indexAll();
  site.gone(m4, "2025-04-03T00:00:01");
  site.kept(m2, "2025-06-29T23:59:59");
  site.gone(m2, "2025-06-30");
  site.kept(m1, "2025-09-01");
  site.kept(m3, "2031-01-01");
}

BOOST_AUTO_TEST_CASE(scenario_10_what_cannot_be_searched_is_held) {
  SystemSite site;
  site.rule(DefaultOfOneYear);
  site.goTo("2024-01-01");
  const auto m1 =
      site.receive({"a"}, "2024-01-01", "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----");
  const auto m2 = site.receive({"a"}, "2024-01-01", "two");
  const auto m3 = site.receive({"a"}, "2024-01-01", "three");
  const auto m4 = site.receive({"a"}, "2024-01-01", "about dialysis");
  site.indexAll();
  site.search.remove({m2});
  BOOST_TEST(!site.search.evaluableSince(m1).has_value());
  site.goTo("2024-06-01");
  site.hold({{"query", "body:dialysis"}});
  site.kept(m1, "2025-02-01");
  BOOST_TEST(site.readable(m2));
  BOOST_TEST(!site.readable(m3));
  site.goTo("2025-02-02");
  site.indexAll();
  site.kept(m2, "2025-03-03T23:59:59");
  site.gone(m2, "2025-03-04");
  site.kept(m1, "2031-01-01");
  site.kept(m4, "2031-01-02");
}

BOOST_AUTO_TEST_CASE(scenario_11_no_way_of_deleting_goes_past_a_rule_or_a_silent_hold) {
  SystemSite site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "6 years"}});
  const auto m = site.receive({"cardio"}, "2024-05-01", "one", {}, "bob@example.org");
  site.indexAll();
  const auto list = site.list("cardio");
  const auto roster = [&] {
    return site.context.site.read([&](SiteTables& tables) {
      return tables.members.countAll() + (tables.formerMembers.anyOfList(list.id) ? 1 : 0);
    });
  };
  site.goTo("2025-03-01");
  site.give(Olga, "list.delete", {{"address", list.address}});
  site.context.site.read([&](SiteTables& tables) {
    BOOST_TEST(!tables.lists.find(list.id)->open);
    BOOST_TEST((tables.lists.find(list.id)->deletedAt != TimePoint()));
  });
  site.goTo("2025-03-02");
  site.context.site.write(
      [&](SiteTables& tables) { BOOST_TEST(tables.archive.hide(m, list.id, site.clock.now(), "bob@example.org")); });
  site.kept(m, "2025-03-03");
  const auto answer =
      site.give(Olga, "erasure.answer", {{"address", "bob@example.org"}, {"reason", "asked by letter"}});
  BOOST_TEST(answer.at("answer") == "legal obligation");
  BOOST_TEST(answer.dump().find("hold") == std::string::npos);
  site.goTo("2025-04-01");
  site.hold(onList("cardio"), true);
  site.kept(m, "2025-04-20");
  site.kept(m, "2030-05-01");
  site.kept(m, "2031-05-01");
  BOOST_TEST(site.give(Olga, "erasure.answer", {{"address", "bob@example.org"}, {"reason", "again"}}) == answer);
  BOOST_TEST(roster() > 0u);
  BOOST_TEST(site.context.keys.signingKey(list.id, ListSigningKey).has_value());
  site.context.site.read([&](SiteTables& tables) { BOOST_TEST(!tables.lists.find(list.id)->certificate.empty()); });
}

BOOST_AUTO_TEST_CASE(scenario_12_a_hold_on_a_list_whose_reference_is_gone_keeps_the_object) {
  const auto begin = [](SystemSite& site) {
    site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "90 days"}, {"scope", onList("a")}});
    site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "7 years"}, {"scope", onList("b")}});
    site.rule(DefaultOfOneYear);
    const auto m = site.receive({"a", "b"}, "2025-01-10", "one");
    site.indexAll();
    return m;
  };
  {
    SystemSite site;
    const auto m = begin(site);
    site.kept(m, "2025-04-10");
    BOOST_TEST(site.reference(m, "a")->removedAt.has_value());
    site.goTo("2031-12-01");
    const auto hold = site.hold(onList("a"));
    site.kept(m, "2032-01-10");
    site.goTo("2032-02-01");
    site.release(hold);
    site.kept(m, "2032-03-01T23:59:59");
    site.gone(m, "2032-03-02");
    site.noCanary();
  }
  {
    SystemSite site;
    const auto m = begin(site);
    site.kept(m, "2032-01-09T23:59:59");
    site.gone(m, "2032-01-10");
  }
  {
    SystemSite site;
    const auto m = begin(site);
    site.goTo("2025-03-01");
    const auto hold = site.hold(onList("a"));
    site.kept(m, "2025-04-10");
    BOOST_TEST(!site.reference(m, "a")->removedAt.has_value());
    site.goTo("2032-02-01");
    site.release(hold);
    site.kept(m, "2032-03-01T23:59:59");
    BOOST_TEST(!site.reference(m, "a")->removedAt.has_value());
    site.gone(m, "2032-03-02");
  }
}

BOOST_AUTO_TEST_CASE(e6_nobody_approves_an_own_request_by_another_session_or_token) {
  SystemSite site;
  site.rule(DefaultOfOneYear);
  const auto m = site.receive({"a"}, "2024-01-01", "one");
  site.indexAll();
  site.goTo("2024-06-01");
  const auto hold = site.hold(onList("a"));
  const auto whatIf = site.give(Olga, "what-if.run", {{"releaseHold", hold}}).at("id");
  const auto id =
      site.give(Olga, "hold.release", {{"id", hold}, {"reason", "over"}, {"whatIf", whatIf}}).at("request").at("id");
  auto session = person("olga", app::Role::Officer | app::Role::Approver);
  session.session = "another session";
  auto token = session;
  token.kind = "api";
  token.session = "a token";
  auto shouted = session;
  shouted.name = "OLGA";
  for (const auto& actor : {session, token, shouted})
    BOOST_TEST(site.refusal(actor, "request.approve", {{"id", id}, {"words", "yes"}}) == "refused");
  site.kept(m, "2026-01-01");
  BOOST_TEST(site.refusal(Pia, "request.approve", {{"id", id}, {"words", "yes"}}).empty());
  site.kept(m, "2026-01-30T23:59:59");
  site.gone(m, "2026-01-31");
}

BOOST_AUTO_TEST_CASE(a_deleted_list_goes_when_nothing_of_it_is_kept) {
  SystemSite site;
  site.rule(DefaultOfOneYear);
  const auto m = site.receive({"cardio"}, "2024-05-01", "one");
  site.receive({"other"}, "2024-05-01", "two");
  site.indexAll();
  const auto list = site.list("cardio");
  const auto stays = [&] {
    return site.context.keys.signingKey(list.id, ListSigningKey).has_value() &&
           site.context.site.read([&](SiteTables& tables) { return !tables.retention.isListGone(list.id); });
  };
  site.goTo("2025-04-20");
  site.give(Olga, "list.delete", {{"address", list.address}});
  site.gone(m, "2025-05-01");
  BOOST_TEST(stays());  // the recovery window
  site.goTo("2025-05-03T23:59:59");
  site.run();
  BOOST_TEST(stays());
  site.goTo("2025-05-04");
  const auto run = site.run();
  BOOST_TEST(!stays());
  site.context.site.read([&](SiteTables& tables) {
    BOOST_TEST(tables.lists.find(list.id)->certificate.empty());
    const auto certificate = tables.retention.certificate(tables.retention.certificateOfRun(run.id).value()).value();
    BOOST_TEST(certificate.lines == 1u);
    BOOST_TEST(certificateHolds(tables, certificate));
    BOOST_TEST(certificateText(tables, certificate).find("| address cardio@lists.example |") != std::string::npos);
    BOOST_TEST(tables.members.countAll() == 1u);  // of the other list
    BOOST_TEST(!tables.retention.isListGone(site.list("other").id));
  });
  const auto again = site.run();
  BOOST_TEST(!site.context.site.read([&](SiteTables& tables) { return tables.retention.certificateOfRun(again.id); })
                  .has_value());
}

BOOST_AUTO_TEST_CASE(closing_a_list_starts_the_periods_that_wait_for_it) {
  SystemSite site;
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "5 years"}, {"start", "list-closed"}});
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "7 years"}});
  const auto m = site.receive({"clinic"}, "2019-06-30", "one");
  site.kept(m, "2023-01-15");
  // The gateway is not there to hear of new routing, which is none of this test's.
  site.give(Olga, "list.close", {{"address", "clinic@lists.example"}});
  site.goTo("2023-02-15");
  site.give(Olga, "list.close", {{"address", "clinic@lists.example"}});
  site.kept(m, "2028-01-14T23:59:59");
  site.gone(m, "2028-01-15");
}

BOOST_AUTO_TEST_CASE(erasure_finds_what_a_person_wrote_under_another_envelope) {
  SystemSite site;
  site.envelope = "bounces@mailer.example";  // as mail sent through another server
  const auto own = site.receive({"a"}, "2024-05-01", "one", {}, "bob@example.org");
  const auto others = site.receive({"a"}, "2024-05-01", "two");
  site.indexAll();
  site.goTo("2024-06-01");
  for (int i = 0; i < 20; ++i) site.receive({"b"}, "2024-05-02", "so that one is below the blast limit");
  const auto answer = site.give(Olga, "erasure.answer", {{"address", "bob@example.org"}, {"reason", "asked"}});
  BOOST_TEST(answer.at("answer") == "erased");
  BOOST_TEST(answer.at("destroyed") == 1u);
  BOOST_TEST(!site.readable(own));
  BOOST_TEST(site.readable(others));
}

namespace {

// With jobs, so that what was approved is carried out.
struct LimitedSite : SystemSite {
  LimitedSite() {
    retention->addTo(jobs);
    jobs.run();
    tools.jobs = &jobs;
  }
  void approve(const json& request) {
    give(Pia, "request.approve", {{"id", request.at("id")}, {"words", "seen"}});
    for (int i = 0; i < 500; ++i) {
      const auto newest = jobs.newest(1);
      if (!newest.empty() && newest.front().ended()) {
        BOOST_TEST(newest.front().state == "done", newest.front().message);
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    BOOST_FAIL("no job ended");
  }
  JobRunner jobs{context};
};

}  // namespace

BOOST_AUTO_TEST_CASE(e4_an_erasure_over_the_blast_limit_hides_at_once_and_destroys_after_approval) {
  LimitedSite site;
  const auto own = site.receive({"a"}, "2024-05-01", "one", {}, "bob@example.org");
  const auto others = site.receive({"a"}, "2024-05-01", "two");
  site.indexAll();
  site.goTo("2024-06-01");
  const auto answer = site.give(Olga, "erasure.answer", {{"address", "bob@example.org"}, {"reason", "asked"}});
  BOOST_TEST(answer.at("answer") == "waiting");
  BOOST_TEST(site.readable(own));
  BOOST_TEST(site.reference(own, "a")->hiddenAt.has_value());
  site.approve(answer.at("request"));
  BOOST_TEST(!site.readable(own));
  BOOST_TEST(site.readable(others));
}

BOOST_AUTO_TEST_CASE(e4_a_review_over_the_blast_limit_waits_for_a_second_person) {
  LimitedSite site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}, {"action", "review"}});
  const auto object = site.receive({"a"}, "2022-01-01", "x");
  site.indexAll();
  site.goTo("2024-01-01");
  site.run();
  const json objects = {{{"object", std::to_string(object)}, {"list", "a@lists.example"}}};
  const auto decided =
      site.give(Olga, "review.decide", {{"objects", objects}, {"decision", "destroy"}, {"reason", "old"}});
  BOOST_TEST(decided.at("changed") == 0);
  BOOST_TEST(site.readable(object));
  site.approve(decided.at("request"));
  BOOST_TEST(!site.readable(object));
}

// Many small orders are no way around it.
BOOST_AUTO_TEST_CASE(e4_erasures_of_a_day_count_together) {
  SystemSite site;
  for (int i = 0; i < 18; ++i) site.receive({"b"}, "2024-05-02", "x");
  site.receive({"a"}, "2024-05-01", "one", {}, "bob@example.org");
  site.receive({"a"}, "2024-05-01", "two", {}, "cid@example.org");
  site.indexAll();
  site.goTo("2024-06-01");
  const auto erase = [&](const char* whom) {
    return site.give(Olga, "erasure.answer", {{"address", whom}, {"reason", "asked"}}).at("answer");
  };
  BOOST_TEST(erase("bob@example.org") == "erased");
  BOOST_TEST(erase("cid@example.org") == "waiting");
}

// What a person's delete destroys is part of the run, and of what it counts.
BOOST_AUTO_TEST_CASE(e4_deletes_by_persons_count_in_the_run) {
  SystemSite site;
  const auto object = site.receive({"a"}, "2024-05-01", "x");
  site.indexAll();
  site.give(Olga, "object.hide",
            {{"object", std::to_string(object)}, {"list", "a@lists.example"}, {"reason", "asked"}});
  site.goTo("2024-06-01");
  BOOST_TEST(site.run(0).state == "stopped");
  BOOST_TEST(site.readable(object));
  BOOST_TEST(site.run(1).state == "done");
  BOOST_TEST(!site.readable(object));
}

// A rule or hold that asks for words and days at once: the same answer by scan and by gate.
BOOST_AUTO_TEST_CASE(days_lists_and_sizes_in_a_query_are_answered_by_scan_and_gate_alike) {
  const auto becomes = [](const std::string& query, const std::string& date) {
    SystemSite site;
    site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "1 year"}, {"scope", {{"query", query}}}});
    const auto m = site.receive({"a"}, "2024-05-01", "dialysis", date);
    site.indexAll();
    site.goTo("2026-01-01");
    const auto expected = whatIf(site.context, site.answers, {site.clock.now(), {}, 20}).at("becomesDue");
    const auto run = site.run();
    BOOST_TEST(expected == run.destroyed, query);
    BOOST_TEST(run.candidates == run.destroyed, query);
    BOOST_TEST(site.readable(m) == (run.destroyed == 0), query);
    return run.destroyed;
  };
  BOOST_TEST(becomes("dialysis after:2024-05-01 before:2024-05-02", {}) == 1u);
  BOOST_TEST(becomes("dialysis after:2024-05-02", {}) == 0u);
  BOOST_TEST(becomes("dialysis -before:2024-05-01 larger:10 list:a@lists.example", {}) == 1u);
  BOOST_TEST(becomes("dialysis list:b@lists.example", {}) == 0u);
  BOOST_TEST(becomes("kidney OR smaller:10", {}) == 0u);
  BOOST_TEST(becomes("kidney OR smaller:1M", {}) == 1u);
  // The sender wrote another day: no delete rule matches by either.
  BOOST_TEST(becomes("dialysis after:2024-01-01", "1999-01-01") == 0u);
  BOOST_TEST(becomes("dialysis before:2000-01-01", "1999-01-01") == 0u);
  BOOST_TEST(becomes("dialysis -after:2024-01-01", "1999-01-01") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
