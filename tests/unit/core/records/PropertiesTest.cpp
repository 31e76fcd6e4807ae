// What must hold for any rules, holds, messages and times.
#include "core/records/Disposition.h"
#include "tests/support/RecordsWorld.h"

#include <nlohmann/json.hpp>

using namespace postern;
using namespace postern::records;
using namespace postern::test;

namespace {

constexpr std::uint64_t Seed = 20'251'122;

// Runs the body in so many random worlds; a failure names the seed that shows it again.
template <class Body>
void inWorlds(unsigned count, Body body) {
  BOOST_TEST_MESSAGE("worlds from seed " << Seed);
  unsigned done = 0;
  for (; done < count; ++done) {
    BOOST_TEST_CONTEXT("seed " << Seed + done) {
      WorldMaker world(Seed + done);
      body(world);
    }
  }
  BOOST_TEST(done == count);
}

// Cheaper than BOOST_TEST for what is asked a million times.
void require(bool fact, const char* what) {
  if (!fact) BOOST_FAIL(what);
}

Rule onlyWith(Rule rule, Effect effect) {
  rule.effect = rule.tier == Tier::Floor ? Effect::Retain : effect;
  return rule;
}

Hold randomHold(WorldMaker& world, TimePoint near) {
  Hold hold;
  hold.scope = world.scope();
  hold.placedAt = near + std::chrono::days(world.below(400));
  if (world.chance(70)) hold.releasedAt = hold.placedAt + std::chrono::days(world.below(400));
  hold.grace = std::chrono::days(world.below(60));
  return hold;
}

// The dates, from nothing but the lines.
Dates recomputed(const std::vector<Line>& lines) {
  Dates dates;
  bool replaced = false;
  for (const auto& line : lines)
    if (line.match == Truth::True && line.effect == Effect::Both &&
        (line.tier == Tier::Label || line.tier == Tier::Scoped))
      replaced = true;
  const auto endOf = [](const Line& line) { return line.start ? line.period.after(*line.start) : Never; };
  for (const auto& line : lines)
    if (line.effect != Effect::Delete && !(replaced && line.tier == Tier::Default))
      dates.retainUntil = std::max(dates.retainUntil, endOf(line));
  auto latest = Earliest;
  for (const auto tier : {Tier::Label, Tier::Scoped, Tier::Default}) {
    const Line* deciding = nullptr;
    for (const auto& line : lines) {
      if (line.tier != tier || line.effect == Effect::Retain || line.match != Truth::True) continue;
      const auto rank = [&](const Line& l) { return std::tuple(endOf(l), l.action, l.ruleId); };
      if (!deciding || rank(line) < rank(*deciding)) deciding = &line;
    }
    if (deciding) {
      dates.deleteAt = endOf(*deciding);
      dates.action = deciding->action;
      dates.decidingRule = deciding->ruleId;
      break;
    }
    for (const auto& line : lines)
      if (line.tier == tier && line.effect != Effect::Retain) latest = std::max(latest, endOf(line));
  }
  if (dates.deleteAt != Never) dates.disposeAt = std::max(dates.retainUntil, dates.deleteAt);
  dates.latestAt = std::max(dates.disposeAt, latest);
  return dates;
}

TimePoint keptByLockedFloors(const std::vector<Rule>& rules, const Message& message) {
  std::vector<Rule> locked;
  for (const auto& rule : rules)
    if (rule.locked) locked.push_back(rule);
  return message.dates(locked).retainUntil;
}

// Something that somebody may try to do to a rule.
Rule changed(WorldMaker& world, Rule rule) {
  const auto other = world.rule(rule.id);
  switch (world.below(9)) {
    case 0:
      rule.period = other.period;
      break;
    case 1:
      rule.scope = other.scope;
      break;
    case 2:
      rule.tier = other.tier;
      rule.effect = other.effect;
      rule.locked = other.locked;
      break;
    case 3:
      rule.enabled = !rule.enabled;
      break;
    case 4:
      rule.locked = !rule.locked;
      break;
    case 5:
      rule.scope = Predicate();
      break;
    case 6:
      rule.period.count += static_cast<std::uint32_t>(world.below(400));
      break;
    case 7:
      rule.start = other.start;
      break;
    default:
      rule = other;
      break;
  }
  if (rule.tier == Tier::Floor) rule.effect = Effect::Retain;
  if (rule.tier != Tier::Floor) rule.locked = false;
  return rule;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Properties)

BOOST_AUTO_TEST_CASE(p2_more_retention_or_one_more_hold_never_destroys_earlier) {
  inWorlds(8000, [](WorldMaker& world) {
    auto rules = world.rules();
    const auto message = world.message();
    const auto before = message.dates(rules);
    rules.push_back(onlyWith(world.rule(100), Effect::Retain));
    const auto after = message.dates(rules);
    require(after.retainUntil >= before.retainUntil, "a retain rule lowered RetainUntil");
    require(after.disposeAt >= before.disposeAt, "a retain rule made disposal earlier");
    require(after.latestAt >= before.latestAt, "a retain rule made disposal earlier");

    std::vector<Hold> holds;
    for (auto n = world.below(4); n > 0; --n) holds.push_back(randomHold(world, at("2020-01-01")));
    const auto when = at("2020-01-01") + std::chrono::days(world.below(1500));
    const bool held = message.held(holds, when);
    holds.push_back(randomHold(world, at("2020-01-01")));
    require(!held || message.held(holds, when), "one more hold freed a message");
  });
}

BOOST_AUTO_TEST_CASE(p3_a_rule_that_deletes_never_goes_before_retention) {
  inWorlds(8000, [](WorldMaker& world) {
    auto rules = world.rules();
    const auto message = world.message();
    const auto before = message.dates(rules);
    auto more = world.rule(100);
    if (more.tier == Tier::Floor) more.tier = Tier::Scoped;
    more.locked = false;
    rules.push_back(onlyWith(more, Effect::Delete));
    const auto after = message.dates(rules);
    require(after.retainUntil == before.retainUntil, "a delete rule changed RetainUntil");
    require(after.disposeAt >= before.retainUntil, "a delete rule went before RetainUntil");
  });
}

BOOST_AUTO_TEST_CASE(p4_the_order_of_rules_and_holds_changes_nothing) {
  inWorlds(6000, [](WorldMaker& world) {
    const auto rules = world.rules();
    const auto message = world.message();
    const auto dates = message.dates(rules);
    const auto disposition = message.disposition(rules);
    const auto again = world.shuffled(rules);
    require(message.dates(again) == dates, "the order of rules changed the dates");
    require(
        dispositionJson(message.disposition(again), at("2030-01-01")) == dispositionJson(disposition, at("2030-01-01")),
        "the order of rules changed the lines");
    std::vector<Hold> holds;
    for (auto n = world.below(5); n > 0; --n) holds.push_back(randomHold(world, at("2020-01-01")));
    const std::vector<Hold> reversed(holds.rbegin(), holds.rend());
    for (int i = 0; i < 5; ++i) {
      const auto when = at("2020-01-01") + std::chrono::days(world.below(1500));
      require(message.held(holds, when) == message.held(reversed, when), "the order of holds changed the answer");
    }
  });
}

BOOST_AUTO_TEST_CASE(p5_evaluation_is_pure_and_both_ways_agree) {
  inWorlds(20'000, [](WorldMaker& world) {
    const auto rules = world.rules();
    const auto message = world.message();
    const auto first = message.dates(rules);
    const RuleSet prepared(rules);
    const auto view = message.view();
    require(prepared.datesOf(view.facts, message.lookups()) == first, "the prepared rules differ");
    require(static_cast<const Dates&>(message.disposition(rules)) == first, "the lines differ from the quick path");
    require(message.dates(rules) == first, "the second time differs from the first");
    const Lookups forbidden = {[](const Predicate&) -> Truth {
                                 BOOST_FAIL("content was asked for");
                                 return Truth::False;
                               },
                               [](std::string_view) -> std::optional<TimePoint> {
                                 BOOST_FAIL("an event was asked for");
                                 return {};
                               }};
    if (!prepared.needsContent() && !prepared.needsEvents())
      require(prepared.datesOf(view.facts, forbidden) == first, "lookups that nobody needs change the dates");
  });
}

BOOST_AUTO_TEST_CASE(p9_no_sequence_of_allowed_changes_lowers_what_locked_floors_give) {
  unsigned refused = 0;
  inWorlds(1500, [&](WorldMaker& world) {
    auto rules = world.rules();
    std::vector<Message> messages;
    for (int i = 0; i < 4; ++i) messages.push_back(world.message());
    for (int step = 0; step < 15 && !rules.empty(); ++step) {
      std::vector<TimePoint> before;
      for (const auto& message : messages) before.push_back(keptByLockedFloors(rules, message));
      auto& rule = rules[world.below(rules.size())];
      const auto after = changed(world, rule);
      const bool remove = world.chance(10);
      if (lockForbids(rule, remove ? nullptr : &after)) {
        ++refused;
        continue;
      }
      if (remove)
        rules.erase(rules.begin() + (&rule - rules.data()));
      else
        rule = after;
      for (std::size_t i = 0; i < messages.size(); ++i)
        require(keptByLockedFloors(rules, messages[i]) >= before[i], "a locked floor gave way");
    }
  });
  BOOST_TEST(refused > 500U);
}

BOOST_AUTO_TEST_CASE(p10_release_frees_nothing_before_its_grace_is_over) {
  inWorlds(8000, [](WorldMaker& world) {
    const auto message = world.message();
    auto hold = randomHold(world, at("2020-01-01"));
    hold.releasedAt.reset();
    const auto release = hold.placedAt + std::chrono::days(world.below(400));
    const bool held = message.held({hold}, release);
    const auto openUntil = message.heldUntil(hold);
    hold.releasedAt = release;
    require(message.heldUntil(hold) <= hold.inForceUntil(), "a hold outlasts its grace");
    if (!held) return;
    const auto freed = message.heldUntil(hold);
    require(freed == std::min(openUntil, release + hold.grace), "release gave another end than its grace");
    for (auto day = release; day < freed; day += std::chrono::days(1))
      require(message.held({hold}, day), "a released hold let go within its grace");
    require(!message.held({hold}, freed), "a hold kept a message for ever");
  });
}

BOOST_AUTO_TEST_CASE(p11_what_could_not_be_evaluated_makes_nothing_certainly_due_too_early) {
  inWorlds(8000, [](WorldMaker& world) {
    const auto rules = world.rules();
    auto message = world.message();
    message.headerDate = message.receivedAt;  // so that only content is uncertain
    message.readable = false;
    const auto blind = message.dates(rules);
    for (int i = 0; i < 6; ++i) {
      // Any answers that the content could have given.
      std::map<std::uint64_t, Truth> answers;
      for (const auto& rule : rules) answers[rule.id] = world.chance(50) ? Truth::True : Truth::False;
      const auto lookups = message.lookups();
      const Lookups resolved = {[&](const Predicate& scope) {
                                  for (const auto& rule : rules)
                                    if (&rule.scope == &scope) return answers[rule.id];
                                  return Truth::Unknown;
                                },
                                lookups.event};
      const auto known = datesOf(rules, message.view().facts, resolved);
      require(known.latestAt == known.disposeAt, "certain rules gave uncertain dates");
      require(known.disposeAt <= blind.latestAt, "the message could have been kept longer than latestAt says");
      require(known.retainUntil <= blind.retainUntil, "retention counted less than it might be");
    }
  });
}

BOOST_AUTO_TEST_CASE(p12_the_lines_alone_give_the_dates_again) {
  inWorlds(20'000, [](WorldMaker& world) {
    const auto rules = world.rules();
    const auto message = world.message();
    const auto disposition = message.disposition(rules);
    require(recomputed(disposition.lines) == disposition, "the lines give other dates");
    for (const auto& line : disposition.lines) {
      require(!line.decidesRetain || line.retainEnd == disposition.retainUntil, "a line decides RetainUntil wrongly");
      require(!line.decidesDelete || line.deleteEnd == disposition.deleteAt, "a line decides DeleteAt wrongly");
    }
    const auto decides = [&](bool Line::*flag) {
      return std::any_of(disposition.lines.begin(), disposition.lines.end(), [&](const Line& l) { return l.*flag; });
    };
    require(decides(&Line::decidesRetain) == (disposition.retainUntil != Earliest), "nothing decides RetainUntil");
    require(decides(&Line::decidesDelete) == (disposition.decidingRule != 0), "nothing decides DeleteAt");
  });
}

BOOST_AUTO_TEST_CASE(a_date_field_alone_never_destroys_earlier) {
  inWorlds(8000, [](WorldMaker& world) {
    const auto rules = world.rules();
    auto message = world.message();
    message.headerDate.reset();
    const auto without = message.dates(rules);
    message.headerDate = world.time();
    require(message.dates(rules).disposeAt >= without.disposeAt, "a Date: field made disposal earlier");
  });
}

BOOST_AUTO_TEST_CASE(a_change_that_does_not_shorten_makes_no_message_go_earlier) {
  unsigned lengthening = 0;
  inWorlds(6000, [&](WorldMaker& world) {
    auto rules = world.rules();
    if (rules.empty()) return;
    auto& rule = rules[world.below(rules.size())];
    const auto before = rule;
    const auto after = changed(world, rule);
    const bool add = world.chance(10);
    const bool remove = !add && world.chance(10);
    if (mayShorten(add ? nullptr : &before, remove ? nullptr : &after)) return;
    ++lengthening;
    auto newRules = rules;
    const auto index = static_cast<std::size_t>(&rule - rules.data());
    if (remove)
      newRules.erase(newRules.begin() + static_cast<std::ptrdiff_t>(index));
    else
      newRules[index] = after;
    if (add) rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(index));
    for (int i = 0; i < 30; ++i) {
      const auto message = world.message();
      require(message.dates(newRules).disposeAt >= message.dates(rules).disposeAt, "a change shortened after all");
    }
  });
  BOOST_TEST(lengthening > 1000U);
}

BOOST_AUTO_TEST_CASE(a_scope_that_covers_another_matches_all_that_the_other_matches) {
  unsigned covering = 0;
  inWorlds(8000, [&](WorldMaker& world) {
    const auto narrow = world.scope();
    const auto wide = world.chance(30) ? narrow : world.scope();
    require(narrow.covers(narrow), "a scope does not cover itself");
    if (!wide.covers(narrow)) return;
    ++covering;
    for (int i = 0; i < 10; ++i) {
      const auto message = world.message();
      const auto truth = [&](const Predicate& p) { return p.matches(message.view().facts, message.content(p)); };
      require(truth(narrow) != Truth::True || truth(wide) == Truth::True || wide.query == "broken",
              "a covering scope misses a message");
      require(truth(narrow) == Truth::False || truth(wide) != Truth::False, "a covering scope misses a message");
    }
  });
  BOOST_TEST(covering > 1000U);
}

BOOST_AUTO_TEST_CASE(periods_that_last_at_least_as_long_end_no_earlier) {
  inWorlds(20'000, [](WorldMaker& world) {
    const auto a = world.period();
    const auto b = world.chance(20) ? Period{Period::Unit::Days, a.count * 30} : world.period();
    const auto start = world.time();
    require(!a.lastsAtLeast(b) || a.after(start) >= b.after(start), "a longer period ended earlier");
    require(a.lastsAtLeast(a), "a period is shorter than itself");
    const auto read = Period::parse(a.text());
    require(read && *read == a, "a period does not read back");
  });
}

BOOST_AUTO_TEST_CASE(rules_read_back_from_their_json) {
  inWorlds(6000, [](WorldMaker& world) {
    const auto rule = world.rule(1 + world.below(50));
    const auto read = Rule::parse(rule.json());
    if (!read) BOOST_FAIL(rule.json().dump() + ": " + read.error());
    require(read->json() == rule.json() && read->scope == rule.scope && read->period == rule.period,
            "a rule does not read back");
    require(!rule.sentence().empty() && !rule.scope.sentence().empty(), "no sentence");
    require(rule.scope.needsContent() == !rule.scope.contentQuery().empty(),
            "the content's query is not what is needed");
  });
}

BOOST_AUTO_TEST_SUITE_END()
