// The scenarios of the retention rules, each with its exact dates.
#include "core/records/Disposition.h"
#include "tests/support/RecordsWorld.h"

using namespace postern;
using namespace postern::records;
using namespace postern::test;

namespace {

constexpr auto F = Tier::Floor;
constexpr auto L = Tier::Label;
constexpr auto S = Tier::Scoped;
constexpr auto D = Tier::Default;

Message message(const std::string& received, std::vector<std::string> lists = {"clinic@x.example"}) {
  Message m;
  m.receivedAt = at(received);
  m.headerDate = m.receivedAt;
  m.lists = std::move(lists);
  m.readableSince = m.receivedAt;
  return m;
}

Hold hold(const std::string& scopeJson, const std::string& placed, const std::string& released = {}) {
  Hold made;
  made.scope = scope(scopeJson);
  made.placedAt = at(placed);
  if (!released.empty()) made.releasedAt = at(released);
  return made;
}

std::string disposeAt(const Message& m, const std::vector<Rule>& rules) {
  BOOST_TEST((m.disposition(rules) == m.dates(rules)));
  return dayText(m.dates(rules).disposeAt);
}

bool mayDestroy(const Message& m, const std::vector<Rule>& rules, const std::vector<Hold>& holds,
                const std::string& when) {
  return m.dates(rules).isCertainlyDue(at(when)) && !m.held(holds, at(when));
}

const std::string Newsletter = R"({"lists":["newsletter@x.example"]})";
const std::vector<Rule> SevenYearsAndNewsletter = {rule(1, D, Effect::Both, "7 years"),
                                                   rule(2, S, Effect::Both, "90 days", Newsletter)};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Scenarios)

BOOST_AUTO_TEST_CASE(scenario_01_a_label_that_retains_outlasts_a_scope_that_deletes) {
  const std::vector rules = {rule(1, S, Effect::Delete, "3 years"), rule(2, L, Effect::Retain, "5 years")};
  const auto m = message("2020-03-01");
  const auto dates = m.disposition(rules);
  BOOST_TEST(dayText(dates.retainUntil) == "2025-03-01");
  BOOST_TEST(dayText(dates.deleteAt) == "2023-03-01");
  BOOST_TEST(disposeAt(m, rules) == "2025-03-01");
  BOOST_TEST(!dates.isDue(at("2024-01-01")));
  BOOST_TEST(!dates.isDue(at("2025-02-28T23:59:59")));
  BOOST_TEST(dates.isDue(at("2025-03-01")));
}

BOOST_AUTO_TEST_CASE(scenario_02_a_complete_scope_replaces_the_default_though_it_is_shorter) {
  BOOST_TEST(disposeAt(message("2025-01-10", {"newsletter@x.example"}), SevenYearsAndNewsletter) == "2025-04-10");
  BOOST_TEST(disposeAt(message("2025-01-10"), SevenYearsAndNewsletter) == "2032-01-10");
}

BOOST_AUTO_TEST_CASE(scenario_03_a_locked_floor_stands_above_a_short_rule_and_cannot_be_shortened) {
  auto rules = SevenYearsAndNewsletter;
  auto floor = rule(3, F, Effect::Retain, "6 years");
  floor.name = "HIPAA";
  floor.locked = true;
  rules.push_back(floor);
  const auto m = message("2025-01-10", {"newsletter@x.example"});
  BOOST_TEST(disposeAt(m, rules) == "2031-01-10");
  BOOST_TEST(dayText(m.dates(rules).deleteAt) == "2025-04-10");
  const auto explained = m.disposition(rules);
  BOOST_TEST(explainSentence(explained, at("2026-01-01")) ==
             "Will be destroyed 2031-01-10: kept until 2031-01-10 by floor 'HIPAA' (2025-01-10 + 6 years); end of life "
             "2025-04-10 by scoped 'rule 2' (2025-01-10 + 90 days).");

  auto shorter = floor;
  shorter.period = period("5 years");
  BOOST_TEST(lockForbids(floor, &shorter).has_value());
  BOOST_TEST(lockForbids(floor, nullptr).has_value());
  auto longer = floor;
  longer.period = period("7 years");
  BOOST_TEST(!lockForbids(floor, &longer).has_value());
}

BOOST_AUTO_TEST_CASE(scenario_04_a_period_from_an_event_that_has_not_happened_has_no_end) {
  std::vector rules = {rule(1, S, Effect::Both, "5 years"), rule(2, S, Effect::Both, "7 years")};
  rules[0].start = "list-closed";
  auto m = message("2019-06-30");
  BOOST_TEST(dayText(m.dates(rules).retainUntil) == "never");
  BOOST_TEST(dayText(m.dates(rules).deleteAt) == "2026-06-30");
  BOOST_TEST(!m.dates(rules).isDue(at("9999-12-31")));
  m.events["list-closed"] = at("2023-01-15");
  BOOST_TEST(dayText(m.dates(rules).retainUntil) == "2028-01-15");
  BOOST_TEST(dayText(m.dates(rules).deleteAt) == "2026-06-30");
  BOOST_TEST(disposeAt(m, rules) == "2028-01-15");
}

BOOST_AUTO_TEST_CASE(scenario_05_the_label_decides_about_deletion_not_the_shortest) {
  const std::vector rules = {rule(1, S, Effect::Delete, "5 years"), rule(2, S, Effect::Delete, "10 years"),
                             rule(3, L, Effect::Delete, "7 years")};
  BOOST_TEST(disposeAt(message("2018-02-28"), rules) == "2025-02-28");
}

BOOST_AUTO_TEST_CASE(scenario_06_the_shortest_within_a_tier_decides) {
  const std::vector rules = {rule(1, S, Effect::Delete, "10 years"), rule(2, S, Effect::Delete, "7 years")};
  BOOST_TEST(disposeAt(message("2017-05-05"), rules) == "2024-05-05");
}

BOOST_AUTO_TEST_CASE(scenario_07_a_hold_and_its_grace_keep_what_is_due) {
  const std::vector rules = {rule(1, D, Effect::Both, "1 year")};
  const std::vector holds = {hold(R"({"lists":["clinic@x.example"]})", "2024-12-31T23:59:59", "2025-06-01")};
  const auto m = message("2024-01-01");
  BOOST_TEST(disposeAt(m, rules) == "2025-01-01");
  BOOST_TEST(dayText(m.heldUntil(holds[0])) == "2025-07-01");
  for (const auto* kept : {"2025-01-02", "2025-06-15", "2025-06-30T23:59:59"})
    BOOST_TEST(!mayDestroy(m, rules, holds, kept), kept);
  BOOST_TEST(mayDestroy(m, rules, holds, "2025-07-01"));
}

BOOST_AUTO_TEST_CASE(scenario_08_overlapping_holds_end_one_by_one) {
  const std::vector rules = {rule(1, D, Effect::Both, "1 year")};
  const std::vector holds = {hold(R"({"lists":["a@x.example"]})", "2024-03-01", "2025-02-01"),
                             hold(R"({"addresses":["bob@x.example"]})", "2024-09-01")};
  auto m1 = message("2024-01-01", {"a@x.example"});
  m1.from = "bob@x.example";
  auto m2 = message("2024-01-01", {"a@x.example"});
  m2.from = "carol@x.example";
  BOOST_TEST(!mayDestroy(m1, rules, holds, "2025-04-01"));
  BOOST_TEST(!m1.held({holds[0]}, at("2025-04-01")));
  BOOST_TEST(m1.held({holds[1]}, at("2025-04-01")));
  BOOST_TEST(dayText(m2.heldUntil(holds[0])) == "2025-03-03");
  BOOST_TEST(!mayDestroy(m2, rules, holds, "2025-03-02T23:59:59"));
  BOOST_TEST(mayDestroy(m2, rules, holds, "2025-03-03"));
}

BOOST_AUTO_TEST_CASE(scenario_09_dates_of_a_hold_match_by_receipt_or_by_the_date_field) {
  const std::vector rules = {rule(1, D, Effect::Both, "90 days")};
  const auto h = hold(R"({"lists":["a@x.example"],"from":"2025-01-01","until":"2025-03-31"})", "2025-02-10");
  const auto m1 = message("2025-03-31T23:59:59", {"a@x.example"});
  const auto m2 = message("2025-04-01", {"a@x.example"});
  auto m3 = message("2025-04-02", {"a@x.example"});
  m3.headerDate = at("2025-03-15");
  const auto m4 = message("2024-12-31T23:59:59", {"a@x.example"});
  BOOST_TEST(m1.held({h}, at("2025-08-01")));
  BOOST_TEST(!m2.held({h}, at("2025-08-01")));
  BOOST_TEST(m3.held({h}, at("2025-08-01")));
  BOOST_TEST(!m4.held({h}, at("2025-08-01")));
  BOOST_TEST(!m1.held({h}, at("2025-02-09T23:59:59")));
  BOOST_TEST(disposeAt(m2, rules) == "2025-06-30");
  BOOST_TEST(mayDestroy(m2, rules, {h}, "2025-06-30"));
  BOOST_TEST(!mayDestroy(m3, rules, {h}, "2025-07-01"));
}

BOOST_AUTO_TEST_CASE(scenario_10_what_cannot_be_read_is_held_and_drops_out_with_a_grace) {
  const std::vector rules = {rule(1, D, Effect::Both, "1 year")};
  const auto h = hold(R"({"query":"dialysis"})", "2024-06-01");
  auto m1 = message("2024-01-01");
  m1.readable = false;
  auto m2 = m1;
  const auto m3 = message("2024-01-01");
  BOOST_TEST(!mayDestroy(m1, rules, {h}, "2025-02-01"));
  BOOST_TEST(!mayDestroy(m2, rules, {h}, "2025-02-01"));
  BOOST_TEST(mayDestroy(m3, rules, {h}, "2025-02-01"));
  BOOST_TEST(disposeAt(m3, rules) == "2025-01-01");
  m2.readable = true;
  m2.readableSince = at("2025-02-02");
  BOOST_TEST(dayText(m2.heldUntil(h)) == "2025-03-04");
  BOOST_TEST(!mayDestroy(m2, rules, {h}, "2025-03-03T23:59:59"));
  BOOST_TEST(mayDestroy(m2, rules, {h}, "2025-03-04"));
  m2.words = {"dialysis"};
  BOOST_TEST(!mayDestroy(m2, rules, {h}, "2099-01-01"));
}

BOOST_AUTO_TEST_CASE(scenario_11_deletion_of_a_list_or_a_person_waits_for_the_rule_and_the_silent_hold) {
  const std::vector rules = {rule(1, D, Effect::Both, "6 years")};
  auto silent = hold(R"({"lists":["cardio@x.example"]})", "2025-04-01");
  silent.silent = true;
  const auto m = message("2024-05-01", {"cardio@x.example"});  // facts keep the list after it is closed
  // Erasure and deletion by people ask for RetainUntil; there the obligation alone refuses, before any hold exists.
  BOOST_TEST(dayText(m.dates(rules).retainUntil) == "2030-05-01");
  BOOST_TEST(!mayDestroy(m, rules, {}, "2025-03-03"));
  BOOST_TEST(mayDestroy(m, rules, {}, "2030-05-01"));
  BOOST_TEST(!mayDestroy(m, rules, {silent}, "2030-05-02"));
  BOOST_TEST(!mayDestroy(m, rules, {silent}, "2200-01-01"));
}

BOOST_AUTO_TEST_CASE(scenario_12_rules_run_per_reference_and_holds_on_the_whole_object) {
  const std::vector rules = {rule(1, S, Effect::Both, "90 days", R"({"lists":["a@x.example"]})"),
                             rule(2, S, Effect::Both, "7 years", R"({"lists":["b@x.example"]})"),
                             rule(3, D, Effect::Both, "1 year")};
  const auto onA = message("2025-01-10", {"a@x.example"});
  const auto onB = message("2025-01-10", {"b@x.example"});
  const auto object = message("2025-01-10", {"a@x.example", "b@x.example"});
  BOOST_TEST(disposeAt(onA, rules) == "2025-04-10");
  BOOST_TEST(disposeAt(onB, rules) == "2032-01-10");

  const auto late = hold(R"({"lists":["a@x.example"]})", "2031-12-01", "2032-02-01");
  BOOST_TEST(!object.held({late}, at("2025-04-10")));  // the reference on A may go
  BOOST_TEST(object.held({late}, at("2032-01-10")));   // by the tombstone of A, though B is due
  BOOST_TEST(dayText(object.heldUntil(late)) == "2032-03-02");
  BOOST_TEST(!object.held({late}, at("2032-03-02")));

  const auto early = hold(R"({"lists":["a@x.example"]})", "2025-03-01", "2032-02-01");
  BOOST_TEST(object.held({early}, at("2025-04-10")));
  BOOST_TEST(object.held({early}, at("2032-03-01T23:59:59")));
  BOOST_TEST(!object.held({early}, at("2032-03-02")));
}

BOOST_AUTO_TEST_CASE(e1_the_day_is_clamped_to_the_end_of_the_month) {
  BOOST_TEST(dayText(period("1 year").after(at("2024-02-29"))) == "2025-02-28");
  BOOST_TEST(dayText(period("1 month").after(at("2024-01-31"))) == "2024-02-29");
}

BOOST_AUTO_TEST_CASE(e2_a_cut_of_the_default_takes_effect_after_seven_days) {
  auto before = rule(1, D, Effect::Both, "7 years");
  auto after = rule(1, D, Effect::Both, "1 year");
  after.version = 2;
  after.effectiveFrom = at("2025-05-01") + ShortenWait;
  BOOST_TEST(mayShorten(&before, &after));
  BOOST_TEST(!mayShorten(&after, &before));
  const std::vector versions = {before, after};
  const auto m = message("2023-01-01");
  const auto dueOn = [&](const std::string& when) { return m.dates(rulesInForce(versions, at(when))).isDue(at(when)); };
  BOOST_TEST(!dueOn("2025-05-07"));
  BOOST_TEST(!dueOn("2025-05-07T23:59:59"));
  BOOST_TEST(dueOn("2025-05-08"));
  BOOST_TEST(dayText(m.dates(rulesInForce(versions, at("2025-05-07"))).disposeAt) == "2030-01-01");
  BOOST_TEST(dayText(m.dates(rulesInForce(versions, at("2025-05-08"))).disposeAt) == "2024-01-01");
}

BOOST_AUTO_TEST_CASE(e7_rules_with_one_effect_add_to_the_default_and_never_cancel_it) {
  std::vector rules = {rule(1, D, Effect::Both, "7 years"), rule(2, S, Effect::Delete, "90 days")};
  const auto m = message("2025-01-10");
  BOOST_TEST(disposeAt(m, rules) == "2032-01-10");
  rules[1] = rule(2, S, Effect::Retain, "10 years");
  BOOST_TEST(disposeAt(m, rules) == "2035-01-10");
  BOOST_TEST(dayText(m.dates(rules).deleteAt) == "2032-01-10");
}

BOOST_AUTO_TEST_SUITE_END()
