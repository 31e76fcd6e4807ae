#include "core/records/Disposition.h"
#include "tests/support/RecordsWorld.h"

#include <nlohmann/json.hpp>

using namespace postern;
using namespace postern::records;
using namespace postern::test;

namespace {

Message message() {
  Message m;
  m.receivedAt = at("2025-01-10");
  m.lists = {"clinic@x.example"};
  return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Disposition)

BOOST_AUTO_TEST_CASE(without_a_rule_nothing_is_ever_due) {
  const auto dates = message().disposition({});
  BOOST_TEST((dates.retainUntil == Earliest));
  BOOST_TEST((dates.disposeAt == Never));
  BOOST_TEST(!dates.isDue(at("9999-12-31")));
  BOOST_TEST(explainSentence(dates, at("2025-01-10")) == "Kept: no rule ends its life.");
}

BOOST_AUTO_TEST_CASE(between_equal_dates_the_least_destructive_action_wins) {
  std::vector rules = {rule(1, Tier::Scoped, Effect::Delete, "1 year"),
                       rule(2, Tier::Scoped, Effect::Delete, "12 months"),
                       rule(3, Tier::Scoped, Effect::Delete, "2 years")};
  rules[0].action = Action::Shred;
  rules[1].action = Action::Anonymise;
  rules[2].action = Action::Review;
  BOOST_TEST(actionWord(message().dates(rules).action) == "anonymise");
  BOOST_TEST(message().dates(rules).decidingRule == 2U);
  rules[0].action = Action::Review;
  BOOST_TEST(actionWord(message().dates(rules).action) == "review");
}

BOOST_AUTO_TEST_CASE(a_rule_that_cannot_be_evaluated_keeps_and_does_not_destroy) {
  auto m = message();
  m.readable = false;
  const std::vector rules = {rule(1, Tier::Default, Effect::Both, "7 years"),
                             rule(2, Tier::Scoped, Effect::Both, "90 days", R"({"query":"newsletter"})")};
  BOOST_TEST(dayText(m.dates(rules).disposeAt) == "2032-01-10");
  m.readable = true;
  m.words = {"newsletter"};
  BOOST_TEST(dayText(m.dates(rules).disposeAt) == "2025-04-10");
}

BOOST_AUTO_TEST_CASE(a_longer_label_that_cannot_be_evaluated_moves_the_certain_date) {
  auto m = message();
  const std::vector rules = {rule(1, Tier::Default, Effect::Both, "1 year"),
                             rule(2, Tier::Label, Effect::Delete, "10 years", R"({"query":"dialysis"})")};
  BOOST_TEST(dayText(m.dates(rules).latestAt) == "2026-01-10");
  m.readable = false;
  BOOST_TEST(dayText(m.dates(rules).disposeAt) == "2026-01-10");
  BOOST_TEST(dayText(m.dates(rules).latestAt) == "2035-01-10");
  BOOST_TEST(m.dates(rules).isDue(at("2026-01-10")));
  BOOST_TEST(!m.dates(rules).isCertainlyDue(at("2035-01-09")));
  BOOST_TEST(m.dates(rules).isCertainlyDue(at("2035-01-10")));
}

BOOST_AUTO_TEST_CASE(lookups_that_are_missing_count_as_not_known) {
  auto rules = std::vector{rule(1, Tier::Scoped, Effect::Both, "1 year", R"({"query":"x"})"),
                           rule(2, Tier::Default, Effect::Delete, "1 day")};
  rules[1].start = "list-closed";
  const auto m = message();
  const auto dates = datesOf(rules, m.view().facts, {});
  BOOST_TEST(dayText(dates.retainUntil) == "2026-01-10");
  BOOST_TEST((dates.disposeAt == Never));
}

BOOST_AUTO_TEST_CASE(a_forged_date_field_lengthens_and_never_shortens) {
  auto m = message();
  const auto old = rule(2, Tier::Scoped, Effect::Both, "90 days", R"({"until":"2020-12-31"})");
  const std::vector rules = {rule(1, Tier::Default, Effect::Both, "7 years"), old};
  m.headerDate = at("2020-01-01");
  BOOST_TEST(dayText(m.dates(rules).disposeAt) == "2032-01-10");
}

BOOST_AUTO_TEST_CASE(the_explanation_tells_what_is_waited_for) {
  auto rules = std::vector{rule(1, Tier::Scoped, Effect::Both, "5 years")};
  rules[0].start = "list-closed";
  rules[0].name = "Closed lists";
  auto m = message();
  BOOST_TEST(
      explainSentence(m.disposition(rules), at("2026-01-01")) ==
      "Kept: no date for its end yet: kept without an end by scoped 'Closed lists' (list-closed has not happened yet, "
      "then + 5 years); no end of life by scoped 'Closed lists' (list-closed has not happened yet, then + 5 years).");
  m.events["list-closed"] = at("2026-02-28");
  const auto explained = m.disposition(rules);
  BOOST_TEST(explainSentence(explained, at("2032-01-01")).starts_with("Due to be destroyed since 2031-02-28: "));
  BOOST_TEST(
      explainSentence(explained, at("2030-01-01"), at("2031-06-01"))
          .starts_with("Will be destroyed 2031-06-01: a legal hold keeps it until 2031-06-01; kept until 2031-02-28"));
  BOOST_TEST(explainSentence(explained, at("2030-01-01"), Never)
                 .starts_with("Held: a legal hold keeps it until it is released; "));
  rules[0].action = Action::Review;
  BOOST_TEST(
      explainSentence(m.disposition(rules), at("2030-01-01")).starts_with("Will be put up for review 2031-02-28: "));
}

BOOST_AUTO_TEST_CASE(the_json_is_that_of_the_order) {
  auto rules =
      std::vector{rule(1, Tier::Default, Effect::Both, "7 years"), rule(2, Tier::Scoped, Effect::Both, "90 days"),
                  rule(3, Tier::Floor, Effect::Retain, "forever")};
  const auto value = dispositionJson(message().disposition(rules), at("2026-01-01"));
  BOOST_TEST(value["retainUntil"] == "never");
  BOOST_TEST(value["deleteAt"] == toMicros(at("2025-04-10")));
  BOOST_TEST(value["due"] == false);
  const auto& lines = value["lines"];
  BOOST_REQUIRE_EQUAL(lines.size(), 3U);
  BOOST_TEST(lines[0]["tier"] == "floor");
  BOOST_TEST(lines[0]["decidesRetain"] == true);
  BOOST_TEST(lines[0]["deleteEnd"] == "never");
  BOOST_TEST(lines[1]["decidesDelete"] == true);
  BOOST_TEST(lines[1]["startAt"] == toMicros(at("2025-01-10")));
  BOOST_TEST(lines[2]["switchedOff"] == true);
  BOOST_TEST(lines[2]["match"] == "yes");
  BOOST_TEST(lines[2]["sentence"] ==
             "default 'rule 1': its keeping is replaced by a complete rule, end of life 2032-01-10 "
             "(2025-01-10 + 7 years)");
  BOOST_TEST(message().disposition({}).lines.empty());
}

BOOST_AUTO_TEST_SUITE_END()
