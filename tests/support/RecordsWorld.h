#pragma once
#include "core/records/Disposition.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

// Messages, rules and holds for the tests of retention: by hand, and at random from a seed.
namespace postern::test {

// "2025-01-10" or "2025-01-10T09:30:00", UTC.
inline TimePoint at(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) < 3)
    throw std::runtime_error("no date: " + text);
  return std::chrono::sys_days(std::chrono::year(year) / month / day) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

inline records::Period period(const std::string& text) {
  auto parsed = records::Period::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error());
  return *parsed;
}

inline records::Predicate scope(const std::string& json) {
  auto parsed = records::Predicate::parse(nlohmann::json::parse(json));
  if (!parsed) throw std::runtime_error(parsed.error());
  return *parsed;
}

inline records::Rule rule(std::uint64_t id, records::Tier tier, records::Effect effect, const std::string& length,
                          const std::string& scopeJson = "{}") {
  records::Rule made;
  made.id = id;
  made.version = 1;
  made.name = "rule " + std::to_string(id);
  made.tier = tier;
  made.effect = effect;
  made.period = period(length);
  made.scope = scope(scopeJson);
  return made;
}

// One message with what is true of it, whether or not anybody could find out.
struct Message {
  TimePoint receivedAt;
  std::vector<std::string> lists;
  std::optional<TimePoint> headerDate;
  std::uint64_t size = 1000;
  std::string sensitivity = "low";
  std::vector<std::string> labels;
  std::string from = "ann@x.example";
  std::set<std::string> to;
  std::map<std::string, std::set<std::string>> headers;
  std::set<std::string> words;
  bool readable = true;
  std::optional<TimePoint> readableSince;
  std::map<std::string, TimePoint> events;

  struct View {
    std::vector<records::Facts::ListFacts> lists;
    records::Facts facts;
  };
  // What the evaluator sees; the message must outlive it.
  View view() const {
    View view;
    for (const auto& list : lists)
      view.lists.push_back({list, std::string_view(list).substr(list.find('@') + 1), classOf(list)});
    view.facts = {.objectId = 1,
                  .lists = view.lists,
                  .receivedAt = receivedAt,
                  .headerDate = headerDate,
                  .size = size,
                  .sensitivity = sensitivity,
                  .labels = labels,
                  .evaluableSince = readable ? readableSince : std::nullopt};
    return view;
  }

  // The class of a list is in its name here: "high-…@…".
  static std::string_view classOf(std::string_view list) {
    return list.starts_with("high") ? "high" : list.starts_with("mod") ? "moderate" : "low";
  }

  static bool isPerson(const std::string& pattern, const std::string& address) {
    return pattern == address || (pattern.front() == '@' && address.ends_with(pattern));
  }
  bool toAny(const std::vector<std::string>& patterns) const {
    for (const auto& pattern : patterns)
      for (const auto& address : to)
        if (isPerson(pattern, address)) return true;
    return false;
  }
  bool fromAny(const std::vector<std::string>& patterns) const {
    for (const auto& pattern : patterns)
      if (isPerson(pattern, from)) return true;
    return false;
  }
  bool headerAny(const std::vector<records::Predicate::Header>& wanted) const {
    for (const auto& header : wanted)
      if (const auto field = headers.find(header.name);
          field != headers.end() && field->second.contains(header.contains))
        return true;
    return false;
  }

  // The content's answer to what the predicate asks of it.
  records::Truth content(const records::Predicate& p) const {
    if (!readable || p.query == "broken") return records::Truth::Unknown;
    const bool matches = (p.senders.empty() || fromAny(p.senders)) && (p.recipients.empty() || toAny(p.recipients)) &&
                         (p.addresses.empty() || fromAny(p.addresses) || toAny(p.addresses)) &&
                         (p.headers.empty() || headerAny(p.headers)) && (p.query.empty() || words.contains(p.query));
    return matches ? records::Truth::True : records::Truth::False;
  }

  records::Lookups lookups() const {
    return {.content = [this](const records::Predicate& p) { return content(p); },
            .event = [this](std::string_view event) -> std::optional<TimePoint> {
              const auto found = events.find(std::string(event));
              return found == events.end() ? std::nullopt : std::optional(found->second);
            }};
  }

  records::Disposition disposition(const std::vector<records::Rule>& rules) const {
    return records::dispositionOf(rules, view().facts, lookups());
  }
  records::Dates dates(const std::vector<records::Rule>& rules) const {
    return records::datesOf(rules, view().facts, lookups());
  }
  TimePoint heldUntil(const records::Hold& hold) const {
    return records::heldUntil(hold, view().facts, content(hold.scope));
  }
  bool held(const std::vector<records::Hold>& holds, TimePoint when) const {
    for (const auto& hold : holds)
      if (records::holds(hold, view().facts, content(hold.scope), when)) return true;
    return false;
  }
};

// Random worlds, rich in the dates on which calendars break. The same seed gives the same world.
class WorldMaker {
public:
  explicit WorldMaker(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  const T& pick(const std::vector<T>& values) {
    return values[below(values.size())];
  }

  TimePoint time() {
    static const std::vector<std::string> edges = {
        "1969-12-31T23:59:59", "1970-01-01", "1968-02-29", "1960-01-31", "2000-02-29", "2023-12-31T23:59:59",
        "2024-01-31",          "2024-02-28", "2024-02-29", "2024-03-31", "2025-01-10", "2025-02-28T12:00:00",
        "2025-05-31",          "2099-12-31", "2100-02-28", "9992-02-29", "9998-12-31", "9999-12-31T23:59:59"};
    if (chance(40)) return at(pick(edges));
    return at("2015-01-01") + std::chrono::days(below(6000)) + std::chrono::microseconds(below(86'400'000'000));
  }

  records::Period period() {
    using Unit = records::Period::Unit;
    if (chance(8)) return {};
    switch (below(3)) {
      case 0:
        return {Unit::Days, static_cast<std::uint32_t>(1 + below(chance(5) ? 99'999 : 800))};
      case 1:
        return {Unit::Months, static_cast<std::uint32_t>(1 + below(40))};
      default:
        return {Unit::Years, static_cast<std::uint32_t>(1 + below(chance(5) ? 9'000 : 12))};
    }
  }

  std::vector<std::string> some(const std::vector<std::string>& values) {
    std::set<std::string> chosen{pick(values)};
    while (chance(40)) chosen.insert(pick(values));
    return {chosen.begin(), chosen.end()};
  }

  records::Predicate scope() {
    records::Predicate p;
    if (chance(40)) return p;
    if (chance(30)) p.lists = some(Lists);
    if (chance(10)) p.listClasses = some(Classes);
    if (chance(10)) p.domains = some({"x.example", "y.example"});
    if (chance(15)) p.senders = some(People);
    if (chance(8)) p.recipients = some(People);
    if (chance(8)) p.addresses = some(People);
    if (chance(8)) p.headers = {{"x-record", pick(Words)}};
    if (chance(8)) p.minSize = below(2000);
    if (chance(8)) p.maxSize = p.minSize.value_or(0) + below(2000);
    if (chance(10)) p.classes = some(Classes);
    if (chance(15)) p.labels = some(Words);
    if (chance(15)) p.from = std::chrono::floor<std::chrono::days>(time());
    if (chance(10))
      p.until = p.from.value_or(std::chrono::floor<std::chrono::days>(time())) + std::chrono::days(below(900));
    if (p.until && *p.until > std::chrono::sys_days(std::chrono::year(9999) / 12 / 31)) p.until.reset();
    if (chance(15)) p.query = chance(20) ? "broken" : pick(Words);
    return p;
  }

  records::Rule rule(std::uint64_t id) {
    records::Rule made;
    made.id = id;
    made.version = static_cast<std::uint32_t>(1 + below(3));
    made.name = "rule " + std::to_string(id);
    made.tier = static_cast<records::Tier>(below(4));
    made.effect = made.tier == records::Tier::Floor ? records::Effect::Retain : static_cast<records::Effect>(below(3));
    do made.period = period();
    while (made.effect == records::Effect::Delete && made.period.unit == records::Period::Unit::Forever);
    if (chance(20)) made.start = pick(std::vector<std::string>{"list-closed", "contract-end"});
    made.action = static_cast<records::Action>(below(4));
    made.scope = scope();
    made.locked = made.tier == records::Tier::Floor && chance(50);
    made.enabled = made.locked || !chance(8);
    return made;
  }

  std::vector<records::Rule> rules() {
    std::vector<records::Rule> made;
    const auto count = below(9);
    for (std::uint64_t id = 1; id <= count; ++id) made.push_back(rule(id));
    return made;
  }

  Message message() {
    Message m;
    m.receivedAt = time();
    m.lists = some(Lists);
    if (chance(80)) m.headerDate = chance(70) ? m.receivedAt : time();
    m.size = below(3000);
    m.sensitivity = pick(Classes);
    if (chance(40)) m.labels = some(Words);
    do m.from = pick(People);
    while (m.from.front() == '@');
    for (const auto& person : some(People))
      if (person.front() != '@') m.to.insert(person);
    if (chance(40)) m.headers["x-record"] = {pick(Words)};
    if (chance(50)) m.words = {pick(Words), pick(Words)};
    m.readable = chance(80);
    m.readableSince = m.receivedAt;
    for (const auto* event : {"list-closed", "contract-end"})
      if (chance(50)) m.events[event] = time();
    return m;
  }

  std::vector<records::Rule> shuffled(std::vector<records::Rule> rules) {
    std::shuffle(rules.begin(), rules.end(), engine_);
    return rules;
  }

private:
  inline static const std::vector<std::string> Lists = {"high-a@x.example", "mod-b@x.example", "low-c@y.example"};
  inline static const std::vector<std::string> Classes = {"low", "moderate", "high"};
  inline static const std::vector<std::string> People = {"ann@x.example", "bob@x.example", "cid@y.example",
                                                         "@y.example"};
  inline static const std::vector<std::string> Words = {"dialysis", "kidney", "budget"};
  std::mt19937_64 engine_;
};

}  // namespace postern::test
