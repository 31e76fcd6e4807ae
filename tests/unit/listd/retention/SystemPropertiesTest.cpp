// Properties of destruction on whole sites with random rules, holds, messages, times and failures. What must go is
// computed beside the site, from the rules' text and what was put in; more worlds by POSTERN_WORLDS.
#include "tests/unit/listd/retention/SystemSite.h"

#include <random>
#include <set>

using namespace postern;
using namespace postern::test;
using records::Truth;

namespace {

constexpr unsigned Seed = 20261122;
constexpr auto OneDay = std::chrono::hours(24);
using Pair = std::pair<std::uint64_t, std::uint64_t>;  // object, list

unsigned worlds(unsigned usual) {
  const auto* wanted = std::getenv("POSTERN_WORLDS");
  return wanted == nullptr ? usual : static_cast<unsigned>(std::atoi(wanted));
}

const std::vector<std::string> Words = {"dialysis", "kidney", "budget", "draft"};
const std::vector<std::string> People = {"ann@x.example", "bob@x.example", "carol@y.example"};
const std::vector<std::string> ListNames = {"a", "b", "c"};

struct Mail {
  std::set<std::string> words;
  std::string from;
  bool sealed = false;
  std::string content;
};

class World : public SystemSite {
public:
  explicit World(unsigned seed) : random(seed) {
    for (const auto& name : ListNames) addList(name);
    const auto count = 20 + pick(41);
    for (std::uint64_t id = 1; id <= count; ++id) addMail(id);
    goTo("2022-01-01");
    indexAll();
    std::vector<std::uint64_t> missing;
    for (const auto& [id, mail] : mails)
      if (chance(10)) missing.push_back(id);
    search.remove(missing);
    for (auto rules = 1 + pick(4); rules > 0; --rules) addRule();
    for (auto holds = pick(3); holds > 0; --holds) addHold();
  }

  unsigned pick(std::size_t below) { return static_cast<unsigned>(random() % below); }
  bool chance(unsigned percent) { return pick(100) < percent; }
  const std::string& oneOf(const std::vector<std::string>& from) { return from[pick(from.size())]; }

  void addRule() {
    static const std::vector<std::string> Tiers = {"floor", "label", "scoped", "scoped", "default"};
    static const std::vector<std::string> Effects = {"retain", "delete", "both", "both"};
    static const std::vector<std::string> Actions = {"purge", "shred", "anonymise", "review"};
    json made{{"tier", oneOf(Tiers)}, {"period", std::to_string(1 + pick(1500)) + " days"}};
    made["effect"] = made["tier"] == "floor" ? "retain" : oneOf(Effects);
    if (made["effect"] != "retain") made["action"] = chance(70) ? "purge" : oneOf(Actions);
    if (made["tier"] == "default" && hasDefault) made["tier"] = "scoped";
    if (made["tier"] == "default")
      hasDefault = true;
    else if (made["tier"] == "label")
      made["scope"] = {{"labels", {"case"}}};
    else if (chance(80))
      made["scope"] = scope();
    made["name"] = "rule";
    auto rule = records::Rule::parse(made);
    if (!rule) return;  // this draw makes no rule
    rule->effectiveFrom = clock.now();
    context.site.write([&](SiteTables& tables) { tables.rules.add({*rule, false, clock.now(), "olga", "test", 0}); });
  }

  void addHold() { open.push_back(hold(scope(), chance(30))); }

  json scope() {
    json made = json::object();
    if (chance(40)) made["lists"] = {oneOf(ListNames) + "@lists.example"};
    if (chance(15)) made["classes"] = {"high"};
    if (chance(15)) made["minSize"] = 150 + pick(100);
    if (chance(20)) made["from"] = "2020-0" + std::to_string(1 + pick(9)) + "-01";
    if (chance(20)) made["until"] = "2021-0" + std::to_string(1 + pick(9)) + "-01";
    if (chance(20)) made["addresses"] = {oneOf(People)};
    if (chance(40)) made["query"] = query();
    if (made.empty()) made["lists"] = {"a@lists.example"};
    return made;
  }
  std::string query() {
    switch (pick(6)) {
      case 0:
        return oneOf(Words) + " OR " + oneOf(Words);
      case 1:
        return oneOf(Words) + " -" + oneOf(Words);
      case 2:
        return oneOf(Words) + " after:2020-0" + std::to_string(1 + pick(9)) + "-15";
      case 3:
        return "-before:2021-0" + std::to_string(1 + pick(9)) + "-15 " + oneOf(Words);
      case 4:
        return "list:" + oneOf(ListNames) + "@lists.example OR from:" + oneOf(People);
      default:
        return oneOf(Words);
    }
  }

  void advance() {
    clock.advance(OneDay * (1 + pick(400)));
    context.site.write([&](SiteTables& tables) { tables.retention.trustClock(clock.now()); });
  }

  // ---- what must be, computed beside the site

  Truth contentTruth(const records::Facts& facts, const std::string& text) {
    const auto& mail = mails.at(facts.objectId);
    if (mail.sealed || !facts.evaluableSince) return Truth::Unknown;
    const auto term = [&](const records::Query::Term& wanted) {
      using Field = records::Query::Field;
      const auto& word = wanted.words.front();
      if (wanted.field == Field::From) return word == mail.from ? Truth::True : Truth::False;
      if (wanted.field == Field::To) return Truth::False;
      return mail.words.contains(word) ? Truth::True : Truth::False;
    };
    const auto fact = [&](const records::Predicate& asked) {
      if (!asked.lists.empty()) return asked.matchesFacts(facts);
      const auto within = [&](TimePoint at) { return asked.receivedWithin(at); };
      const bool byReceipt = within(facts.receivedAt);
      if (facts.headerDate && within(*facts.headerDate) != byReceipt) return Truth::Unknown;
      return byReceipt ? Truth::True : Truth::False;
    };
    return records::Query::parse(text).value().evaluate(term, fact);
  }

  struct Expected {
    std::set<Pair> go;
    std::set<std::uint64_t> held;
    std::map<std::uint64_t, std::set<std::uint64_t>> holdsOf;
  };
  Expected expected(TimePoint now) {
    Expected result;
    context.site.read([&](SiteTables& tables) {
      const auto rules = tables.rules.inForce(now);
      const auto holds = tables.holds.all();
      std::map<std::uint64_t, List> all;
      for (auto& list : tables.lists.all()) all.emplace(list.id, list);
      for (const auto& [id, mail] : mails) {
        const auto message = tables.archive.message(id).value();
        if (message.object.state != ObjectState::Stored) continue;
        std::vector<records::Facts::ListFacts> on;
        for (const auto& reference : message.references) {
          const auto& list = all.at(reference.listId);
          on.push_back({list.address, list.domain, list.sensitivity});
        }
        records::Facts facts;
        facts.objectId = id;
        facts.receivedAt = message.object.receivedAt;
        facts.headerDate = message.object.headerDate;
        facts.size = message.object.size;
        facts.sensitivity = message.object.sensitivity;
        facts.labels = message.labels;
        facts.evaluableSince = search.evaluableSince(id);
        facts.lists = on;
        for (const auto& row : holds) {
          const auto content =
              row.hold.scope.needsContent() ? contentTruth(facts, row.hold.scope.contentQuery()) : Truth::True;
          if (records::holds(row.hold, facts, content, now)) result.holdsOf[id].insert(row.hold.id);
        }
        if (result.holdsOf.contains(id)) result.held.insert(id);
        for (std::size_t i = 0; i < on.size(); ++i) {
          const auto& reference = message.references[i];
          if (reference.removedAt || result.held.contains(id)) continue;
          facts.lists = {&on[i], 1};
          const records::Lookups lookups{
              [&](const records::Predicate& asked) { return contentTruth(facts, asked.contentQuery()); }, {}};
          const auto dates = records::dispositionOf(rules, facts, lookups);
          auto at = dates.latestAt;
          auto action = dates.action;
          if (reference.hiddenAt && dates.retainUntil != records::Never) {
            const auto window = std::max<TimePoint>(dates.retainUntil, *reference.hiddenAt + std::chrono::days(14));
            if (window < at) at = window, action = records::Action::Purge;
          }
          if (at != records::Never && now >= at && action != records::Action::Review)
            result.go.emplace(id, reference.listId);
        }
      }
    });
    return result;
  }

  std::set<Pair> present() {
    std::set<Pair> found;
    context.site.read([&](SiteTables& tables) {
      for (const auto& [id, mail] : mails)
        for (const auto& reference : tables.archive.message(id)->references)
          if (!reference.removedAt) found.emplace(id, reference.listId);
    });
    return found;
  }

  // P8, and that state, key, content and line never disagree.
  void checkLines(const std::string& when) {
    std::uint64_t lines = 0, gone = 0;
    context.site.read([&](SiteTables& tables) {
      for (const auto& [id, mail] : mails) {
        const auto line = tables.retention.disposal(id);
        const bool destroyed = tables.archive.find(id)->state == ObjectState::Destroyed;
        const auto content = context.vault.get(id);
        BOOST_TEST((line && line->done) == destroyed, when << " object " << id);
        BOOST_TEST(!(line && !line->done), when << " object " << id);
        BOOST_TEST(content.has_value() == !destroyed, when << " object " << id);
        if (content) BOOST_TEST((*content == mail.content), when << " object " << id);
        if (destroyed) ++gone;
      }
      for (const auto& run : tables.retention.runs(10000)) lines += tables.retention.lineCount(run.id);
    });
    BOOST_TEST(lines == gone, when);
  }

  std::mt19937 random;
  std::map<std::uint64_t, Mail> mails;
  std::vector<std::uint64_t> open;  // holds
  bool hasDefault = false;

private:
  void addList(const std::string& name) {
    List made;
    made.address = name + "@lists.example";
    made.domain = "lists.example";
    made.sensitivity = name == "a" ? "high" : "low";
    made.createdAt = clock.now();
    context.site.write([&](SiteTables& tables) {
      if (!tables.domains.find(made.domain)) tables.domains.add({made.domain, "list", made.createdAt, 0});
      made.id = tables.lists.add(made);
    });
    lists.emplace(name, made);
  }

  void addMail(std::uint64_t id) {
    Mail mail;
    mail.from = oneOf(People);
    mail.sealed = chance(8);
    std::string body;
    for (const auto& word : Words)
      if (chance(40)) mail.words.insert(word), body += word + "\r\n";
    if (mail.sealed) body = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n";
    mail.content = "From: <" + mail.from + ">\r\nSubject: " + std::to_string(id) +
                   "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + body;
    StoredObject object;
    object.id = id;
    object.receivedAt = day("2020-01-01") + OneDay * pick(700);
    if (chance(60)) object.headerDate = object.receivedAt;
    if (chance(30)) object.headerDate = day("2019-06-01") + OneDay * pick(900);
    object.size = mail.content.size();
    object.sensitivity = chance(30) ? "high" : "low";
    std::set<std::string> names{oneOf(ListNames)};
    if (chance(30)) names.insert(oneOf(ListNames));
    context.vault.put(id, list(*names.begin()).id, mail.content);
    const bool labelled = chance(20), hidden = chance(15);
    context.site.write([&](SiteTables& tables) {
      for (const auto& name : names) tables.archive.add(object, list(name).id, 0);
      if (labelled) tables.archive.addLabel(id, "case", object.receivedAt);
      if (hidden) tables.archive.hide(id, list(*names.begin()).id, day("2022-01-01"), "bob");
    });
    mails.emplace(id, std::move(mail));
  }
};

// Breaks one of the parts of the gate, perhaps halfway.
void breakSomething(World& world) {
  auto& parts = world.parts;
  const auto good = GateParts::of(world.context, &world.real);
  const auto fault = [](auto...) -> bool { throw Error(ErrorKind::Io, "broken by the test"); };
  switch (world.pick(6)) {
    case 0:
      parts.destroy = [=](auto) { fault(); };
      return;
    case 1:
      parts.destroy = [=](std::span<const std::uint64_t> ids) {
        good.destroy(ids.first(ids.size() / 2));
        fault();
      };
      return;
    case 2:
      parts.hasKey = fault;
      return;
    case 3: {
      const auto left = std::make_shared<unsigned>(world.pick(6));
      parts.record = [=](SiteTables& tables, const audit::Event& event, TimePoint now) {
        if ((*left)-- == 0) fault();
        good.record(tables, event, now);
      };
      return;
    }
    case 4:
      parts.answers = nullptr;
      return;
    default:
      parts.destroy = [=](std::span<const std::uint64_t> ids) {
        good.destroy(ids);
        fault();
      };
  }
}

std::set<Pair> minus(const std::set<Pair>& all, const std::set<Pair>& some) {
  std::set<Pair> rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::inserter(rest, rest.end()));
  return rest;
}

struct Totals {
  std::uint64_t messages = 0, runs = 0, removed = 0, destroyed = 0, held = 0, broken = 0;
};

// P1, P11: what is held or not due stays, whoever asks and whatever breaks.
void attack(World& world, const World::Expected& expected, const std::string& when, Totals& totals) {
  const auto before = world.present();
  std::vector<DestructionGate::Target> held;
  for (const auto& [object, list] : before)
    if (expected.held.contains(object)) held.push_back({object, list});
  totals.held += held.size();
  auto gate = world.gate();
  for (const auto caller : {DestructionCaller::RetentionRun, DestructionCaller::Review, DestructionCaller::PersonDelete,
                            DestructionCaller::Erasure, DestructionCaller::ListDeletion})
    for (const auto& verdict : gate.dispose(caller, 0, held)) {
      BOOST_TEST(!verdict.removed, when << " object " << verdict.target.objectId);
      BOOST_TEST(!verdict.kept.empty(), when);
    }
  BOOST_TEST((world.present() == before), when);
  if (world.chance(50)) return;
  ++totals.broken;
  breakSomething(world);
  world.run();
  world.parts = GateParts::of(world.context, &world.real);
  world.gate().finishBegun();
  for (const auto& gone : minus(before, world.present()))
    BOOST_TEST(expected.go.contains(gone), when << " broken: object " << gone.first << " went early");
  world.checkLines(when + " broken");
}

void runOnce(World& world, const std::string& when, Totals& totals) {
  const auto now = world.clock.now();
  attack(world, world.expected(now), when, totals);
  const auto expected = world.expected(now);
  const auto before = world.present();

  const auto asked = whatIf(world.context, world.answers, {now, {}, 100'000});
  std::set<Pair> promised;
  for (const auto& item : asked.at("sample"))
    for (const auto& [name, list] : world.lists)
      if (list.address == item.at("list")) promised.emplace(std::stoull(item.at("object").get<std::string>()), list.id);
  const auto run = world.run();
  BOOST_TEST(run.state == "done", when << ": " << run.words);
  const auto went = minus(before, world.present());
  BOOST_TEST((went == expected.go), when << ": " << went.size() << " went, not " << expected.go.size());
  BOOST_TEST((went == promised), when << ": " << went.size() << " went, the what-if said " << promised.size());
  std::uint64_t kept = 0;
  for (const auto& [reason, count] : run.kept) {
    BOOST_TEST(!reason.empty());
    kept += count;
  }
  BOOST_TEST(run.candidates == run.removed + kept, when);  // P7
  BOOST_TEST(run.removed == went.size(), when);
  world.checkLines(when);
  const auto again = world.run();  // P5
  BOOST_TEST(again.removed == 0u, when);
  ++totals.runs;
  totals.removed += run.removed;
  totals.destroyed += run.destroyed;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_retention_SystemProperties)

BOOST_AUTO_TEST_CASE(what_goes_is_what_the_rules_say_whatever_else_happens) {
  Totals totals;
  const auto count = worlds(100);
  for (unsigned number = 0; number < count; ++number) {
    World world(Seed + number);
    totals.messages += world.mails.size();
    for (int round = 0; round < 3; ++round) {
      const auto when = "seed " + std::to_string(Seed + number) + " round " + std::to_string(round);
      // P10: what only a released hold keeps is still kept at the last moment of its grace.
      if (!world.open.empty() && world.chance(60)) {
        const auto id = world.open.back();
        world.open.pop_back();
        const auto before = world.expected(world.clock.now());
        world.release(id);
        world.clock.advance(std::chrono::days(30) - std::chrono::microseconds(1));
        world.context.site.write([&](SiteTables& tables) { tables.retention.trustClock(world.clock.now()); });
        const auto present = world.present();
        runOnce(world, when + " grace", totals);
        for (const auto& [object, list] : minus(present, world.present()))
          BOOST_TEST(!(before.holdsOf.contains(object) && before.holdsOf.at(object).contains(id)),
                     when << " object " << object << " went within the grace");
      }
      runOnce(world, when, totals);
      if (world.chance(40)) world.addRule();
      if (world.chance(30)) world.addHold();
      if (world.chance(30)) world.indexAll();
      world.advance();
    }
  }
  BOOST_TEST_MESSAGE("first seed " << Seed << ", worlds " << count << ", messages " << totals.messages << ", runs "
                                   << totals.runs << ", removed " << totals.removed << ", destroyed "
                                   << totals.destroyed << ", held asked " << totals.held << ", broken runs "
                                   << totals.broken);
  BOOST_TEST(totals.removed > 0u);
  BOOST_TEST(totals.held > 0u);
}

// P13: any older site.db, keys.db or both, with the journal of now.
BOOST_AUTO_TEST_CASE(no_restored_database_brings_back_what_was_destroyed_or_loses_a_hold) {
  const auto copyTo = [](const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::copy(from, to,
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  };
  const auto count = worlds(100) / 4;
  std::uint64_t destroyed = 0;
  for (unsigned number = 0; number < count; ++number) {
    const auto when = "seed " + std::to_string(Seed + 5000 + number);
    TempFolder old, restored;
    std::set<std::uint64_t> gone, held;
    std::size_t holds = 0;
    TimePoint now;
    {
      World world(Seed + 5000 + number);
      for (const auto* part : {"listd", "keys"}) copyTo(world.folder / part, old / part);
      world.advance();
      world.addHold();
      world.run();
      now = world.clock.now();
      held = world.expected(now).held;
      world.context.site.read([&](SiteTables& tables) {
        holds = tables.holds.allInForce(now).size();
        for (const auto& [id, mail] : world.mails)
          if (tables.archive.find(id)->state == ObjectState::Destroyed) gone.insert(id);
      });
      copyTo(world.folder.path(), restored.path());
    }
    const auto which = number % 3;
    for (const auto& [part, wanted] : {std::pair("listd", which != 1), std::pair("keys", which != 0)}) {
      if (!wanted) continue;
      for (const auto& entry : std::filesystem::directory_iterator(restored / part))
        if (entry.path().string().find(".db") != std::string::npos) std::filesystem::remove(entry.path());
      copyTo(old / part, restored / part);
    }
    const auto config = siteConfig(restored.path());
    FakeClock clock(now);
    SiteContext context(config, clock);
    replayHolds(context);
    SearchIndex search(config.path("index"), context.root, clock);
    IndexAnswers answers(search);
    Retention retention(context, &answers);
    const Archive archive(context);
    context.site.read([&](SiteTables& tables) {
      BOOST_TEST(tables.holds.allInForce(now).size() >= holds, when);
      for (const auto id : gone) BOOST_TEST((tables.archive.find(id)->state == ObjectState::Destroyed), when);
    });
    for (const auto id : gone) {
      BOOST_TEST(!archive.open(id).has_value(), when << " object " << id << " came back");
      BOOST_TEST(!context.vault.get(id).has_value(), when << " object " << id << " came back");
    }
    for (const auto id : held) {
      BOOST_TEST(archive.open(id).has_value(), when << " object " << id);
      std::vector<DestructionGate::Target> targets;
      context.site.read([&](SiteTables& tables) {
        for (const auto& reference : tables.archive.message(id)->references) targets.push_back({id, reference.listId});
      });
      context.site.write([&](SiteTables& tables) { tables.retention.trustClock(now); });
      for (const auto& verdict : retention.gate().dispose(DestructionCaller::Erasure, 0, targets))
        BOOST_TEST(!verdict.destroyed, when << " object " << id);
    }
    destroyed += gone.size();
  }
  BOOST_TEST_MESSAGE("first seed " << Seed + 5000 << ", worlds " << count << ", destroyed before " << destroyed);
  BOOST_TEST(destroyed > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
