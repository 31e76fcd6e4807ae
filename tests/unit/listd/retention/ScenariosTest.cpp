// The scenarios of the retention rules, on a real site: what is due is gone, what is not is readable.
#include "tests/unit/listd/retention/RetentionFixture.h"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_retention_Scenarios)

BOOST_AUTO_TEST_CASE(scenario_1_retention_outlasts_deletion) {
  Site site;
  site.rule({{"tier", "scoped"}, {"effect", "delete"}, {"period", "3 years"}});
  site.rule({{"tier", "label"}, {"effect", "retain"}, {"period", "5 years"}, {"scope", {{"labels", {"case"}}}}});
  const auto m = site.receive({"clinic"}, "2020-03-01", "one");
  site.context.site.write([&](SiteTables& tables) { tables.archive.addLabel(m, "case", site.clock.now()); });
  const auto dates = site.datesOf(m, "clinic");
  BOOST_TEST(formatRfc3339(dates.retainUntil) == "2025-03-01T00:00:00Z");
  BOOST_TEST(formatRfc3339(dates.deleteAt) == "2023-03-01T00:00:00Z");
  site.goTo("2024-01-01");
  site.run();
  BOOST_TEST(site.readable(m));
  site.keptUntil(m, "2025-02-28T23:59:59", "2025-03-01");
  BOOST_TEST(site.lines() == 1u);
}

BOOST_AUTO_TEST_CASE(scenario_2_and_3_a_scope_replaces_the_default_and_a_floor_outlasts_both) {
  for (const bool floor : {false, true}) {
    Site site;
    site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "7 years"}});
    site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "90 days"}, {"scope", onList("newsletter")}});
    if (floor) site.rule({{"tier", "floor"}, {"effect", "retain"}, {"period", "6 years"}, {"locked", true}});
    const auto m1 = site.receive({"newsletter"}, "2025-01-10", "one");
    const auto m2 = site.receive({"clinic"}, "2025-01-10", "two");
    if (floor)
      site.keptUntil(m1, "2031-01-09T23:59:59", "2031-01-10");
    else
      site.keptUntil(m1, "2025-04-09T23:59:59", "2025-04-10");
    site.keptUntil(m2, "2032-01-09T23:59:59", "2032-01-10");
  }
}

BOOST_AUTO_TEST_CASE(scenario_4_a_period_that_starts_with_an_event) {
  Site site;
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "5 years"}, {"start", "list-closed"}});
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "7 years"}});
  const auto m = site.receive({"clinic"}, "2019-06-30", "one");
  BOOST_TEST(toMicros(site.datesOf(m, "clinic").retainUntil) == toMicros(records::Never));
  site.goTo("2023-01-15");
  site.context.site.write([&](SiteTables& tables) {
    const auto now = site.clock.now();
    const RetentionEvent event{std::string(ListClosedEvent), site.list("clinic").id, 0, now, now, "olga", ""};
    BOOST_TEST(tables.rules.record(event));
    auto later = event;
    later.at += std::chrono::days(100);
    BOOST_TEST(!tables.rules.record(later));
  });
  site.goTo("2027-01-01");
  site.run();
  BOOST_TEST(site.readable(m));
  site.keptUntil(m, "2028-01-14T23:59:59", "2028-01-15");
}

BOOST_AUTO_TEST_CASE(scenario_5_and_6_the_highest_tier_decides_deletion_and_in_it_the_shortest) {
  Site site;
  site.rule({{"tier", "scoped"}, {"effect", "delete"}, {"period", "10 years"}});
  site.rule({{"tier", "scoped"}, {"effect", "delete"}, {"period", "7 years"}});
  const auto shortest = site.receive({"clinic"}, "2017-05-05", "one");
  site.keptUntil(shortest, "2024-05-04T23:59:59", "2024-05-05");
  Site other;
  other.rule({{"tier", "scoped"}, {"effect", "delete"}, {"period", "5 years"}});
  other.rule({{"tier", "scoped"}, {"effect", "delete"}, {"period", "10 years"}});
  other.rule({{"tier", "label"}, {"effect", "delete"}, {"period", "7 years"}, {"scope", {{"labels", {"x"}}}}});
  const auto labelled = other.receive({"clinic"}, "2018-02-28", "two");
  other.context.site.write([&](SiteTables& tables) { tables.archive.addLabel(labelled, "x", other.clock.now()); });
  other.keptUntil(labelled, "2025-02-27T23:59:59", "2025-02-28");
}

BOOST_AUTO_TEST_CASE(e1_and_e7_calendar_ends_and_rules_beside_the_default) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  site.keptUntil(site.receive({"a"}, "2024-02-29", "leap"), "2025-02-27T23:59:59", "2025-02-28");
  Site other;
  other.rule({{"tier", "default"}, {"effect", "both"}, {"period", "7 years"}});
  other.rule({{"tier", "scoped"}, {"effect", "delete"}, {"period", "90 days"}});
  other.keptUntil(other.receive({"a"}, "2025-01-10", "x"), "2032-01-09T23:59:59", "2032-01-10");
}

BOOST_AUTO_TEST_CASE(e2_a_rule_that_waits_for_its_day_shortens_nothing_before) {
  Site site;
  const auto id = site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "7 years"}});
  const auto m = site.receive({"a"}, "2023-01-01", "x");
  site.goTo("2025-05-01");
  site.rule({{"id", id}, {"tier", "default"}, {"effect", "both"}, {"period", "1 year"}}, "2025-05-08");
  site.keptUntil(m, "2025-05-07T23:59:59", "2025-05-08");
}

BOOST_AUTO_TEST_CASE(e3_a_clock_that_jumped_or_is_behind_the_audit_log_destroys_nothing) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  site.goTo("2024-01-01");
  const auto m = site.receive({"a"}, "2024-01-01", "x");
  site.goTo("2025-05-01");
  site.clock.advance(day("2031-01-01") - site.clock.now());
  const auto run = site.run();
  BOOST_TEST(run.state == "refused");
  BOOST_TEST(site.readable(m));
  // Nor by a way around the run.
  BOOST_TEST(site.gate().dispose(DestructionCaller::Erasure, 0, {{m, site.list("a").id}}).front().kept == "clock");
  // The heartbeat that follows does not make it right.
  site.context.site.write([&](SiteTables& tables) { BOOST_TEST(heartbeat(tables, site.clock.now()).has_value()); });
  BOOST_TEST(site.run().state == "refused");
  BOOST_TEST(site.readable(m));
  site.clock.advance(-std::chrono::days(365));
  BOOST_TEST(site.run().state == "refused");
  BOOST_TEST(site.readable(m));
}

BOOST_AUTO_TEST_CASE(e4_a_run_over_the_blast_limit_stops_and_asks) {
  BOOST_TEST(blastLimit(1'000'000, 0) == 1000u);
  BOOST_TEST(blastLimit(1'000'000, 30'000) == 3000u);
  BOOST_TEST(blastLimit(10'000, 0) == 500u);
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  const auto m = site.receive({"a"}, "2020-01-01", "x");
  site.goTo("2024-01-01");
  const auto run = site.run(0);
  BOOST_TEST(run.state == "stopped");
  BOOST_TEST(site.readable(m));
  BOOST_TEST(site.run(1).state == "done");
  BOOST_TEST(!site.readable(m));
}

BOOST_AUTO_TEST_CASE(e5_a_key_that_went_before_the_crash_gives_exactly_one_line) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  const auto gone = site.receive({"a"}, "2020-01-01", "x");
  const auto still = site.receive({"a"}, "2020-01-01", "y");
  site.goTo("2024-01-01");
  // As a crash leaves it: begun, one key gone, no row finished.
  site.context.site.write([&](SiteTables& tables) {
    for (const auto id : {gone, still}) {
      Disposal disposal;
      disposal.objectId = id;
      disposal.listId = site.list("a").id;
      disposal.lists = "a@lists.example";
      disposal.runId = 1;
      tables.archive.setState(id, ObjectState::Destroying);
      tables.retention.begin(disposal);
    }
    Run begun;
    begun.caller = "retention-run";
    begun.startedBy = "test";
    tables.retention.addRun(begun);
  });
  site.parts.destroy(std::vector<std::uint64_t>{gone});
  for (int start = 0; start < 2; ++start) site.gate().finishBegun();
  BOOST_TEST(site.lines() == 1u);
  BOOST_TEST(!site.readable(gone));
  BOOST_TEST(site.readable(still));
  site.run();
  BOOST_TEST(site.lines() == 2u);
}

BOOST_AUTO_TEST_CASE(one_object_for_several_lists_dies_with_its_last_reference) {
  Site site;
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "90 days"}, {"scope", onList("a")}});
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "7 years"}, {"scope", onList("b")}});
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  const auto m = site.receive({"a", "b"}, "2025-01-10", "x");
  site.goTo("2025-04-10");
  site.run();
  BOOST_TEST(site.reference(m, "a")->removedAt.has_value());
  BOOST_TEST(!site.reference(m, "b")->removedAt.has_value());
  BOOST_TEST(site.readable(m));
  site.keptUntil(m, "2032-01-09T23:59:59", "2032-01-10");
}

BOOST_AUTO_TEST_SUITE_END()
