// The evaluator beside a second one that was written in another way: from the sentences of the retention rules, asking
// "may it go at this moment?" instead of computing dates, with the C library's calendar and the rules' JSON.
#include "core/records/Disposition.h"
#include "tests/support/RecordsWorld.h"

#include <ctime>
#include <nlohmann/json.hpp>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

constexpr std::uint64_t Seed = 3'141'592;
constexpr std::int64_t Second = 1'000'000;

// Seconds and microseconds apart; floor for times before 1970.
struct Moment {
  std::time_t seconds;
  std::int64_t micros;
};
Moment momentOf(TimePoint time) {
  auto micros = toMicros(time) % Second;
  if (micros < 0) micros += Second;
  return {static_cast<std::time_t>((toMicros(time) - micros) / Second), micros};
}

// Start + "7 years" by timegm(); nothing when there is no such time before the year 10000.
std::optional<TimePoint> plus(TimePoint start, const std::string& text) {
  if (text == "forever") return std::nullopt;
  const auto count = std::stol(text);
  const auto moment = momentOf(start);
  std::tm parts{};
  gmtime_r(&moment.seconds, &parts);
  if (text.find("day") != text.npos) {
    parts.tm_mday += static_cast<int>(count);
  } else {
    const auto day = parts.tm_mday;
    parts.tm_mon += static_cast<int>(text.find("year") != text.npos ? count * 12 : count);
    auto moved = parts;
    timegm(&moved);
    if (moved.tm_mday != day) {  // ran over the end of the month: the day before the first of the month it ran into
      parts = moved;
      parts.tm_mday = 0;
    }
  }
  const auto seconds = timegm(&parts);
  if (parts.tm_year + 1900 > 9999) return std::nullopt;
  return fromMicros(seconds * Second + moment.micros);
}

enum class Match { No, Maybe, Yes };

bool oneOf(const json& scope, const char* field, const std::vector<std::string>& texts) {
  if (!scope.contains(field)) return true;
  const std::set<std::string> wanted(scope[field].begin(), scope[field].end());
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) { return wanted.contains(text); });
}

std::string dayOf(TimePoint time) {
  const auto seconds = momentOf(time).seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
  return text;
}

bool dayWithin(const json& scope, TimePoint time) {
  const auto day = dayOf(time);
  return scope.value("from", "0000-00-00") <= day && day <= scope.value("until", "9999-99-99");
}

bool personIn(const json& people, const Message& m, bool sender, bool recipient) {
  for (const auto& person : people) {
    if (sender && Message::isPerson(person, m.from)) return true;
    for (const auto& address : m.to)
      if (recipient && Message::isPerson(person, address)) return true;
  }
  return false;
}

Match contentOf(const json& scope, const Message& m) {
  bool asked = false;
  bool found = true;
  const auto condition = [&](const char* field, auto test) {
    if (!scope.contains(field)) return;
    asked = true;
    found = found && test(scope[field]);
  };
  condition("senders", [&](const json& people) { return personIn(people, m, true, false); });
  condition("recipients", [&](const json& people) { return personIn(people, m, false, true); });
  condition("addresses", [&](const json& people) { return personIn(people, m, true, true); });
  condition("query", [&](const json& word) { return m.words.contains(word); });
  condition("headers", [&](const json& headers) {
    return std::any_of(headers.begin(), headers.end(), [&](const json& header) {
      const auto field = m.headers.find(header["name"]);
      return field != m.headers.end() && field->second.contains(header["contains"]);
    });
  });
  if (!asked) return Match::Yes;
  if (!m.readable || scope.value("query", "") == "broken") return Match::Maybe;
  return found ? Match::Yes : Match::No;
}

bool factsMatch(const json& scope, const Message& m) {
  std::vector<std::string> classes, domains;
  for (const auto& list : m.lists) {
    classes.push_back(list.starts_with("high") ? "high" : list.starts_with("mod") ? "moderate" : "low");
    domains.push_back(list.substr(list.find('@') + 1));
  }
  return oneOf(scope, "lists", m.lists) && oneOf(scope, "listClasses", classes) && oneOf(scope, "domains", domains) &&
         oneOf(scope, "classes", {m.sensitivity}) && oneOf(scope, "labels", m.labels) &&
         m.size >= scope.value("minSize", std::uint64_t{0}) &&
         m.size <= scope.value("maxSize", std::uint64_t{1} << 60) &&
         (dayWithin(scope, m.receivedAt) || (m.headerDate && dayWithin(scope, *m.headerDate)));
}

// A rule as the site's officer wrote it, about this message.
struct Judged {
  std::string tier, effect, action, period;
  Match match;
  std::optional<TimePoint> start;
  // The sentence "now >= end".
  bool over(TimePoint now) const {
    if (!start) return false;
    const auto end = plus(*start, period);
    return end && now >= *end;
  }
  bool keeps() const { return effect == "retain" || effect == "both"; }
  bool kills() const { return match == Match::Yes && tier != "floor" && effect != "retain"; }
};

std::vector<Judged> judge(const std::vector<records::Rule>& rules, const Message& m) {
  std::vector<Judged> result;
  for (const auto& rule : rules) {
    const auto text = rule.json();
    const auto& scope = text["scope"];
    if (!text["enabled"] || !factsMatch(scope, m)) continue;
    auto match = contentOf(scope, m);
    if (match == Match::No) continue;
    if (!dayWithin(scope, m.receivedAt)) match = Match::Maybe;  // by the Date: field alone
    Judged judged{text["tier"], text["effect"], text["action"], text["period"], match, std::nullopt};
    if (text["start"] == "received")
      judged.start = m.receivedAt;
    else if (const auto event = m.events.find(text["start"]); event != m.events.end())
      judged.start = event->second;
    result.push_back(judged);
  }
  return result;
}

// Some rule keeps it now.
bool kept(const std::vector<Judged>& rules, TimePoint now) {
  const bool lifeCycle = std::any_of(rules.begin(), rules.end(), [](const Judged& r) {
    return r.match == Match::Yes && r.effect == "both" && (r.tier == "label" || r.tier == "scoped");
  });
  return std::any_of(rules.begin(), rules.end(),
                     [&](const Judged& r) { return r.keeps() && !r.over(now) && !(lifeCycle && r.tier == "default"); });
}

// The rules that want it gone, of the highest tier that has any.
std::vector<Judged> killers(const std::vector<Judged>& rules) {
  for (const auto* tier : {"label", "scoped", "default"}) {
    std::vector<Judged> found;
    for (const auto& rule : rules)
      if (rule.tier == tier && rule.kills()) found.push_back(rule);
    if (!found.empty()) return found;
  }
  return {};
}

bool mayGo(const std::vector<Judged>& rules, TimePoint now) {
  const auto tier = killers(rules);
  return !kept(rules, now) && std::any_of(tier.begin(), tier.end(), [&](const Judged& r) { return r.over(now); });
}

// Moments at which something could change, and those right before.
std::set<TimePoint> moments(const std::vector<Judged>& rules, WorldMaker& world) {
  std::set<TimePoint> result{world.time(), at("9999-12-31T23:59:59"), at("1950-01-01")};
  for (const auto& rule : rules) {
    const auto end = rule.start ? plus(*rule.start, rule.period) : std::nullopt;
    if (!end) continue;
    result.insert(*end);
    result.insert(*end - std::chrono::microseconds(1));
  }
  return result;
}

// The action of the rule that is over first; of several the mildest.
std::string action(const std::vector<Judged>& rules) {
  std::string chosen;
  std::optional<TimePoint> first;
  for (const auto* word : {"review", "anonymise", "purge", "shred"})
    for (const auto& rule : killers(rules)) {
      const auto end = rule.start ? plus(*rule.start, rule.period) : std::nullopt;
      if (rule.action == word && end && (!first || *end < *first)) {
        first = end;
        chosen = word;
      }
    }
  return chosen;
}

// Walks day by day and remembers when the hold last wanted the message. All times are whole days.
bool heldByWalking(const records::Hold& hold, const Message& m, const std::optional<TimePoint>& readable,
                   TimePoint now) {
  const auto scope = hold.scope.json();
  std::optional<TimePoint> lastWanted;  // through that day
  auto seenAtPlacement = m;
  seenAtPlacement.readable = readable && hold.placedAt >= *readable;
  if (hold.releasedAt == hold.placedAt && hold.placedAt <= now && factsMatch(scope, m) &&
      contentOf(scope, seenAtPlacement) != Match::No)
    lastWanted = hold.placedAt - std::chrono::days(1);
  for (auto day = hold.placedAt; day <= now; day += std::chrono::days(1)) {
    if (hold.releasedAt && day >= *hold.releasedAt) break;
    auto seen = m;
    seen.readable = readable && day >= *readable;
    if (factsMatch(scope, m) && contentOf(scope, seen) != Match::No) lastWanted = day;
  }
  return lastWanted && now < *lastWanted + std::chrono::days(1) + hold.grace;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_records_Oracle)

BOOST_AUTO_TEST_CASE(both_models_let_the_same_messages_go_at_the_same_moments) {
  BOOST_TEST_MESSAGE("worlds from seed " << Seed);
  unsigned due = 0, keeping = 0, never = 0;
  for (std::uint64_t seed = Seed; seed < Seed + 12'000; ++seed) {
    WorldMaker world(seed);
    const auto rules = world.rules();
    const auto message = world.message();
    const auto judged = judge(rules, message);
    const auto dates = message.dates(rules);
    (dates.disposeAt == records::Never ? never : due) += 1;
    for (const auto now : moments(judged, world)) {
      if (dates.isDue(now) != mayGo(judged, now))
        BOOST_FAIL("seed " << seed << " at " << formatRfc3339(now) << ": due is " << dates.isDue(now));
      if ((now < dates.retainUntil) != kept(judged, now))
        BOOST_FAIL("seed " << seed << " at " << formatRfc3339(now) << ": retention differs");
      keeping += kept(judged, now);
    }
    if (dates.deleteAt != records::Never && records::actionWord(dates.action) != action(judged))
      BOOST_FAIL("seed " << seed << ": action is " << records::actionWord(dates.action));
  }
  BOOST_TEST_MESSAGE(due << " get a date, " << never << " never");
  BOOST_TEST(due > 2000U);
  BOOST_TEST(never > 2000U);
  BOOST_TEST(keeping > 2000U);
}

BOOST_AUTO_TEST_CASE(both_models_hold_the_same_messages_on_the_same_days) {
  unsigned held = 0, free = 0, dropped = 0;
  for (std::uint64_t seed = Seed; seed < Seed + 3000; ++seed) {
    WorldMaker world(seed);
    auto message = world.message();
    const auto day = [&](std::uint64_t span) { return at("2024-01-15") + std::chrono::days(world.below(span)); };
    records::Hold hold;
    hold.scope = world.chance(40) ? scope(R"({"query":"dialysis"})") : world.scope();
    hold.placedAt = day(60);
    if (world.chance(60)) hold.releasedAt = hold.placedAt + std::chrono::days(world.below(90));
    hold.grace = std::chrono::days(world.below(40));
    std::optional<TimePoint> readable;
    if (world.chance(75)) readable = day(120);
    for (int i = 0; i < 25; ++i) {
      const auto now = day(300);
      message.readable = readable && now >= *readable;
      message.readableSince = readable;
      const bool expected = heldByWalking(hold, message, readable, now);
      if (message.held({hold}, now) != expected)
        BOOST_FAIL("seed " << seed << " at " << formatRfc3339(now) << ": the walk says " << expected);
      (expected ? held : free) += 1;
      dropped += expected && message.content(hold.scope) == records::Truth::False;
    }
  }
  BOOST_TEST(held > 5000U);
  BOOST_TEST(free > 5000U);
  BOOST_TEST(dropped > 200U);
}

BOOST_AUTO_TEST_CASE(both_calendars_agree_from_every_edge) {
  WorldMaker world(Seed);
  unsigned ends = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto start = world.time();
    const auto length = world.period();
    const auto expected = plus(start, length.text());
    if (length.after(start) != expected.value_or(records::Never))
      BOOST_FAIL(formatRfc3339(start) << " and " << length.text() << " is not " << formatRfc3339(length.after(start)));
    ends += expected.has_value();
  }
  BOOST_TEST(ends > 20'000U);
}

BOOST_AUTO_TEST_SUITE_END()
