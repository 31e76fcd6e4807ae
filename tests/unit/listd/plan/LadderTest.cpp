// The ladder against a second, naive model, over thousands of random rules and members, and mutations of it that these
// checks must catch.
#include "core/pgp/PublicKey.h"
#include "core/pgp/SecretKey.h"
#include "listd/plan/PlanPreview.h"
#include "listd/plan/Replan.h"
#include "tests/unit/listd/ListdFixture.h"

#include <functional>
#include <random>

using namespace postern;
using namespace postern::test;
using app::Protection;

namespace {

constexpr std::array AllRungs{Protection::Tls, Protection::Pickup, Protection::OpenPgp, Protection::Smime};
const auto Day = std::chrono::days(1);

struct Case {
  LadderRules rules;
  std::vector<KeyFacts> keys;
  std::optional<Protection> wish;
  bool verified = false;
  bool distrusted = false;
  MemberFacts facts() const { return {keys, wish, verified, distrusted}; }
};
using Decider = std::function<Decision(const LadderRules&, const MemberFacts&, TimePoint)>;

class Dice {
public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine_); }
  bool one(std::size_t of) { return below(of) == 0; }
  template <class Range>
  auto pick(const Range& range) {
    return *std::next(std::begin(range), static_cast<std::ptrdiff_t>(below(std::size(range))));
  }
  template <class Range>
  void shuffle(Range& range) {
    std::shuffle(range.begin(), range.end(), engine_);
  }

private:
  std::mt19937 engine_;
};

std::vector<Protection> someRungs(Dice& dice) {
  std::vector<Protection> rungs(AllRungs.begin(), AllRungs.end());
  dice.shuffle(rungs);
  rungs.resize(1 + dice.below(4));
  return rungs;
}

KeyFacts someKey(Dice& dice, std::size_t number) {
  KeyFacts key;
  key.fingerprint = "key" + std::to_string(number);
  key.kind = dice.one(2) ? listd::KeyKind::OpenPgp : listd::KeyKind::Smime;
  key.state = dice.pick(
      std::array{KeyState::Proposed, KeyState::Confirmed, KeyState::Confirmed, KeyState::Confirmed, KeyState::Revoked});
  key.verdict = dice.one(3) ? dice.pick(std::array{Reason::WeakKey, Reason::Untrusted, Reason::WrongAddress,
                                                   Reason::UnsupportedKey, Reason::ValidCertificate,
                                                   Reason::ValidOpenPgpKey, Reason::PickUp, Reason::VerifiedTls})
                            : validReason(key.kind);
  key.notBefore = TestNow + Day * (static_cast<int>(dice.below(8)) - 6);
  key.notAfter = key.notBefore + Day * static_cast<int>(dice.below(9));
  return key;
}

Case someCase(Dice& dice) {
  Case made;
  made.rules.secure = !dice.one(20);
  made.rules.floor = dice.one(10) ? Protection::None : dice.pick(AllRungs);  // None: what no rule may ever say
  if (!dice.one(3)) made.rules.floor = Protection::Tls;
  made.rules.rungs = someRungs(dice);
  for (std::size_t i = dice.below(4); i > 0; --i) made.keys.push_back(someKey(dice, i));
  if (dice.one(3)) made.wish = dice.pick(AllRungs);
  made.verified = dice.one(2);
  made.distrusted = dice.one(4);
  return made;
}

bool usable(const KeyFacts& key, listd::KeyKind kind) {
  return key.kind == kind && key.state == KeyState::Confirmed &&
         key.verdict == (kind == listd::KeyKind::Smime ? Reason::ValidCertificate : Reason::ValidOpenPgpKey) &&
         key.notBefore <= TestNow && TestNow <= key.notAfter;
}

// What can be had at all, by looking at each rung alone.
bool canHave(const Case& made, Protection rung) {
  if (rung == Protection::Pickup) return true;
  if (rung == Protection::Tls) return made.verified && !made.distrusted;
  const auto kind = rung == Protection::Smime ? listd::KeyKind::Smime : listd::KeyKind::OpenPgp;
  return std::any_of(made.keys.begin(), made.keys.end(), [&](const auto& key) { return usable(key, kind); });
}

// The naive model: every rung that may be had gets a place in the queue, the first one wins.
std::optional<Protection> expected(const Case& made) {
  if (!made.rules.secure) return Protection::None;
  std::map<std::size_t, Protection> queue;
  for (const auto rung : AllRungs) {
    if (rung < made.rules.floor || (made.wish && rung < *made.wish) || !canHave(made, rung)) continue;
    const auto& rungs = made.rules.rungs;
    const auto place = static_cast<std::size_t>(std::find(rungs.begin(), rungs.end(), rung) - rungs.begin());
    if (place < rungs.size())
      queue.emplace(place, rung);
    else if (made.wish == rung)
      queue.emplace(100, rung);
  }
  if (queue.empty()) return std::nullopt;
  return queue.begin()->second;
}

// What must hold whatever the model says.
const char* fault(const Case& made, const Decision& decision) {
  if (!made.rules.secure) return decision.withheld() || decision.protection != Protection::None ? "open list" : nullptr;
  if (decision.reason == Reason::OpenList) return "a secure list is treated as an open one";
  if (decision.withheld()) return decision.protection == Protection::None ? nullptr : "withheld with a protection";
  if (decision.protection == Protection::None) return "a plain copy of a secure list";
  if (decision.protection < made.rules.floor) return "below the floor";
  if (made.wish && decision.protection < *made.wish) return "below the wish";
  const auto key = std::find_if(made.keys.begin(), made.keys.end(),
                                [&](const auto& one) { return one.fingerprint == decision.keyFingerprint; });
  switch (decision.protection) {
    case Protection::Smime:
      if (key == made.keys.end() || !usable(*key, listd::KeyKind::Smime)) return "S/MIME without a usable certificate";
      return decision.reason == Reason::ValidCertificate ? nullptr : "wrong reason";
    case Protection::OpenPgp:
      if (key == made.keys.end() || !usable(*key, listd::KeyKind::OpenPgp)) return "OpenPGP without a usable key";
      return decision.reason == Reason::ValidOpenPgpKey ? nullptr : "wrong reason";
    case Protection::Tls:
      if (!made.verified || made.distrusted) return "TLS that is not verified or does not count";
      return decision.reason == Reason::VerifiedTls ? nullptr : "wrong reason";
    default:
      return decision.reason == Reason::PickUp ? nullptr : "wrong reason";
  }
}

// The first thing that is wrong with a decider over so many cases; empty: nothing.
std::string wrongWith(const Decider& decider, int cases) {
  Dice dice(20260301);
  for (int i = 0; i < cases; ++i) {
    const auto made = someCase(dice);
    const auto decision = decider(made.rules, made.facts(), TestNow);
    if (const auto* what = fault(made, decision)) return what;
    const auto wanted = expected(made);
    if (!wanted && !decision.withheld()) return "a copy where the model has none";
    if (wanted && decision.withheld()) return "withheld where the model has a copy";
    if (wanted && decision.protection != *wanted) return "another rung than the model's";
    // Raising the floor never makes a copy weaker.
    auto raised = made;
    raised.rules = strengthened(made.rules, dice.pick(AllRungs));
    const auto above = decider(raised.rules, raised.facts(), TestNow);
    if (made.rules.secure && !above.withheld() && above.protection < raised.rules.floor)
      return "a raised floor is ignored";
  }
  return {};
}

// decide() with a fault put in, as a careless change might.
struct Mutant {
  const char* name;
  Decider decider;
};

Decider onRules(std::function<void(LadderRules&)> change) {
  return [change = std::move(change)](LadderRules rules, const MemberFacts& facts, TimePoint now) {
    change(rules);
    return decide(rules, facts, now);
  };
}
Decider onFacts(std::function<void(MemberFacts&)> change) {
  return [change = std::move(change)](const LadderRules& rules, MemberFacts facts, TimePoint now) {
    change(facts);
    return decide(rules, facts, now);
  };
}
Decider onKeys(std::function<void(KeyFacts&)> change) {
  return [change = std::move(change)](const LadderRules& rules, MemberFacts facts, TimePoint now) {
    std::vector<KeyFacts> keys(facts.keys.begin(), facts.keys.end());
    for (auto& key : keys) change(key);
    facts.keys = keys;
    return decide(rules, facts, now);
  };
}
Decider onDecision(std::function<void(const LadderRules&, const MemberFacts&, Decision&)> change) {
  return [change = std::move(change)](const LadderRules& rules, const MemberFacts& facts, TimePoint now) {
    auto decision = decide(rules, facts, now);
    change(rules, facts, decision);
    return decision;
  };
}

std::vector<Mutant> mutants() {
  return {
      {"the floor is ignored", onRules([](auto& rules) { rules.floor = Protection::Tls; })},
      {"the floor is one rung lower", onRules([](auto& rules) {
         if (rules.floor > Protection::Tls) rules.floor = static_cast<Protection>(static_cast<int>(rules.floor) - 1);
       })},
      {"the floor is one rung higher", onRules([](auto& rules) {
         if (rules.floor < Protection::Smime) rules.floor = static_cast<Protection>(static_cast<int>(rules.floor) + 1);
       })},
      {"a secure list counts as open", onRules([](auto& rules) { rules.secure = false; })},
      {"an open list counts as secure", onRules([](auto& rules) { rules.secure = true; })},
      {"the order of rungs is turned",
       onRules([](auto& rules) { std::reverse(rules.rungs.begin(), rules.rungs.end()); })},
      {"a rung is added", onRules([](auto& rules) {
         if (std::find(rules.rungs.begin(), rules.rungs.end(), Protection::Pickup) == rules.rungs.end())
           rules.rungs.push_back(Protection::Pickup);
       })},
      {"the wish is ignored", onFacts([](auto& facts) { facts.wish.reset(); })},
      {"the wish only lowers", onFacts([](auto& facts) {
         if (facts.wish) facts.wish = Protection::Tls;
       })},
      {"TLS counts unverified", onFacts([](auto& facts) { facts.tlsVerified = true; })},
      {"TLS counts where it does not", onFacts([](auto& facts) { facts.tlsDistrusted = false; })},
      {"TLS never counts", onFacts([](auto& facts) { facts.tlsVerified = false; })},
      {"proposed keys count", onKeys([](auto& key) {
         if (key.state == KeyState::Proposed) key.state = KeyState::Confirmed;
       })},
      {"revoked keys count", onKeys([](auto& key) {
         if (key.state == KeyState::Revoked) key.state = KeyState::Confirmed;
       })},
      {"ended keys count", onKeys([](auto& key) { key.notAfter = TestNow + Day; })},
      {"keys count early", onKeys([](auto& key) { key.notBefore = TestNow - 100 * Day; })},
      {"a bad verdict counts", onKeys([](auto& key) { key.verdict = validReason(key.kind); })},
      {"a verdict of the other kind counts", onKeys([](auto& key) {
         if (allowsCopy(key.verdict)) key.verdict = validReason(key.kind);
       })},
      {"the kinds of keys are mixed up", onKeys([](auto& key) {
         key.kind = key.kind == listd::KeyKind::Smime ? listd::KeyKind::OpenPgp : listd::KeyKind::Smime;
         if (allowsCopy(key.verdict)) key.verdict = validReason(key.kind);
       })},
      {"what is withheld goes out plain", onDecision([](const auto&, const auto&, auto& decision) {
         if (decision.withheld()) decision.reason = Reason::OpenList;
       })},
      {"what is withheld waits for pick-up", onDecision([](const auto&, const auto&, auto& decision) {
         if (decision.withheld()) decision = {Protection::Pickup, Reason::PickUp, {}};
       })},
      {"another key's fingerprint", onDecision([](const auto&, const auto& facts, auto& decision) {
         if (!decision.keyFingerprint.empty() && !decision.withheld())
           decision.keyFingerprint = facts.keys.front().fingerprint;
       })},
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_plan_Ladder)

BOOST_AUTO_TEST_CASE(the_ladder_does_as_the_naive_model_over_many_rules_and_members) {
  BOOST_TEST(wrongWith(decide, 60000) == "");
}

BOOST_AUTO_TEST_CASE(every_mutation_of_the_ladder_is_caught) {
  for (const auto& mutant : mutants()) BOOST_TEST(wrongWith(mutant.decider, 60000) != "", mutant.name);
}

BOOST_AUTO_TEST_CASE(no_setting_gives_a_secure_list_the_floor_none_or_an_unprotected_rung) {
  Dice dice(7);
  for (int i = 0; i < 5000; ++i) {
    ListProtection list;
    DomainProtection domain;
    if (dice.one(2)) list.floor = dice.one(4) ? Protection::None : dice.pick(AllRungs);
    if (dice.one(2)) domain.floor = dice.one(4) ? Protection::None : dice.pick(AllRungs);
    if (dice.one(2)) list.rungs = someRungs(dice);
    if (dice.one(2)) domain.high = someRungs(dice);
    const auto rules = rulesFor(true, list, domain, dice.pick(std::array{"low", "moderate", "high", "unheard-of"}));
    BOOST_TEST((rules.floor >= Protection::Tls));
    BOOST_TEST((rules.floor >= domain.floor.value_or(Protection::None)), "a list undercuts its domain");
    BOOST_TEST(!rules.rungs.empty());
    BOOST_TEST((std::find(rules.rungs.begin(), rules.rungs.end(), Protection::None) == rules.rungs.end()));
  }
  BOOST_TEST(!parseRungs("smime,none"));
  BOOST_TEST(!parseRungs("smime,smime"));
  BOOST_TEST(!parseRungs("smime,"));
  BOOST_TEST(!parseRungs("Smime"));
  BOOST_TEST(rungWords(*parseRungs("pickup,smime")) == "pickup,smime");
}

BOOST_AUTO_TEST_CASE(high_risk_mail_goes_by_tls_only_where_a_list_or_domain_says_so) {
  const auto has = [](const LadderRules& rules) {
    return std::find(rules.rungs.begin(), rules.rungs.end(), Protection::Tls) != rules.rungs.end();
  };
  BOOST_TEST(has(rulesFor(true, {}, {}, "low")));
  BOOST_TEST(has(rulesFor(true, {}, {}, "moderate")));
  BOOST_TEST(!has(rulesFor(true, {}, {}, "high")));
  BOOST_TEST(!has(rulesFor(true, {}, {}, "")));
  ListProtection says;
  says.rungs = {Protection::Smime, Protection::Tls};
  BOOST_TEST(has(rulesFor(true, says, {}, "high")));
}

BOOST_AUTO_TEST_CASE(a_withheld_member_is_told_the_reason_that_helps_most) {
  LadderRules rules;
  rules.rungs = {Protection::Smime, Protection::OpenPgp, Protection::Tls};
  const KeyFacts ended{"e",           KeyState::Confirmed,    Reason::ValidOpenPgpKey, TestNow - 9 * Day,
                       TestNow - Day, listd::KeyKind::OpenPgp};
  const KeyFacts good{"g",           KeyState::Confirmed, Reason::ValidOpenPgpKey,
                      TestNow - Day, TestNow + Day,       listd::KeyKind::OpenPgp};
  const auto reason = [&](std::vector<KeyFacts> keys, std::optional<Protection> wish = std::nullopt,
                          bool verified = false, bool distrusted = false) {
    return std::string(reasonWord(decide(rules, {keys, wish, verified, distrusted}, TestNow).reason));
  };
  BOOST_TEST(reason({}) == "no-key");
  BOOST_TEST(reason({ended}) == "key-expired");
  BOOST_TEST(reason({good}) == "valid-openpgp-key");
  BOOST_TEST(reason({good}, Protection::Smime) == "wish");
  BOOST_TEST(reason({}, std::nullopt, true) == "verified-tls");
  BOOST_TEST(reason({}, Protection::OpenPgp, true) == "wish");
  BOOST_TEST(reason({}, Protection::Pickup, true) == "pick-up", "a wish adds its own rung");
  rules.rungs = {Protection::Tls};
  BOOST_TEST(reason({}) == "tls-not-verified");
  BOOST_TEST(reason({}, std::nullopt, true, true) == "tls-does-not-count");
  rules.rungs = {Protection::Smime};
  BOOST_TEST(reason({good}) == "not-on-ladder");
}

// Attack 3 at the level of plans: whatever is in the store, a secure list's rows are protected or withheld, as the
// model says; the counts beside the members say the same as the plan; another class is previewed as it would be
// planned.
BOOST_AUTO_TEST_CASE(plans_of_random_sites_never_let_a_plain_copy_out_and_previews_tell_what_they_do) {
  Dice dice(99);
  for (int round = 0; round < 12; ++round) {
    TempFolder folder;
    auto config = siteConfig(folder.path());
    FakeClock clock{TestNow};
    SiteContext context(config, clock);
    ListProtection protection;
    if (dice.one(2)) protection.floor = dice.pick(AllRungs);
    if (dice.one(2)) protection.rungs = someRungs(dice);
    auto list = makeList(context, "board@lists.example", !dice.one(6), protection);
    list.sensitivity = dice.pick(std::array{"low", "moderate", "high"});
    std::map<std::string, Case> members;
    std::optional<std::uint64_t> postId;
    context.site.write([&](SiteTables& tables) {
      tables.lists.update(list);
      const auto rules = rulesOf(tables, list);
      for (int domain = 0; domain < 4; ++domain) {
        const auto name = "d" + std::to_string(domain) + ".example";
        if (dice.one(2)) tables.domainTls.note({name, app::TlsMeans::Sts, TestNow, ""});
        if (dice.one(4)) tables.domainTls.setMark({name, DomainMark::Mark::Distrusted, "test", TestNow, "root"});
      }
      for (int number = 0; number < 30; ++number) {
        const auto domain = "d" + std::to_string(dice.below(5)) + ".example";
        const auto address = "m" + std::to_string(number) + "@" + domain;
        auto made = someCase(dice);
        made.rules = rules;
        const auto tls = tables.domainTls.find(domain);
        made.verified = tls && tls->means != app::TlsMeans::None;
        made.distrusted = false;  // find() has it in already
        for (const auto& facts : made.keys) {
          MemberKey key;
          key.address = address;
          key.facts = facts;
          tables.keys.add(key);
        }
        Member member;
        member.listId = list.id;
        member.address = address;
        member.wish = made.wish;
        member.enabled = !dice.one(8);
        tables.members.add(member, {Protection::None, Reason::NoKey, {}});
        if (member.enabled) members.emplace(address, made);
      }
      refreshList(tables, list, TestNow);
      Post post;
      post.queueId = "Q1";
      post.client = "{}";
      post.sensitivity = list.sensitivity;
      postId = writePlan(tables, post, list, {PostingRuling::Verdict::Accept, "", std::nullopt, false}, TestNow);
    });
    std::map<std::pair<std::string, std::string>, std::uint64_t> planned;
    context.site.read([&](SiteTables& tables) {
      for (const auto& row : tables.ledger.page(postId.value(), 0, 1000)) {
        if (row.kind != app::Copy::Kind::Content) continue;
        const auto& made = members.at(row.recipient);
        const auto wanted = expected(made);
        BOOST_TEST(row.protection == (wanted ? app::protectionName(*wanted) : "withheld"));
        if (list.secure) BOOST_TEST(row.protection != "none");
        ++planned[{row.protection, row.reason}];
      }
      const auto preview = previewPlan(tables, list, {}, TestNow);
      std::map<std::pair<std::string, std::string>, std::uint64_t> shown;
      for (const auto& group : preview.groups) shown[{group.protection, group.reason}] = group.members;
      BOOST_TEST((shown == planned), "the counts beside the members differ from the plan");
      BOOST_TEST(preview.total == members.size());
      for (const auto* other : {"low", "moderate", "high"}) {
        PlanQuestion question;
        question.sensitivity = other;
        question.protection = "withheld";
        std::uint64_t sum = 0;
        const auto what = previewPlan(tables, list, question, TestNow);
        for (const auto& group : what.groups) sum += group.members;
        BOOST_TEST(sum == members.size());
        BOOST_TEST(what.members.size() == what.total - what.ready);
      }
    });
  }
}

BOOST_AUTO_TEST_CASE(what_is_learnt_of_a_domain_moves_its_members_and_no_others) {
  TempFolder folder;
  auto config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context(config, clock);
  ListProtection protection;
  protection.rungs = {Protection::Smime, Protection::Tls};
  const auto list = makeList(context, "board@lists.example", true, protection);
  for (const auto* address : {"ann@a.example", "bob@b.example", "\"x@a.example\"@b.example"})
    addMember(context, list, address);
  const auto standing = [&](const std::string& address) {
    return context.site.read(
        [&](SiteTables& tables) { return tables.members.find(list.id, address).value().protection; });
  };
  BOOST_TEST(standing("ann@a.example") == "withheld");
  context.site.write([&](SiteTables& tables) {
    tables.domainTls.note({"a.example", app::TlsMeans::Dane, TestNow, ""});
    refreshDomain(tables, "a.example", TestNow);
  });
  BOOST_TEST(standing("ann@a.example") == "tls");
  BOOST_TEST(standing("bob@b.example") == "withheld");
  BOOST_TEST(standing("\"x@a.example\"@b.example") == "withheld");
  context.site.write([&](SiteTables& tables) {
    tables.domainTls.setMark({"a.example", DomainMark::Mark::Distrusted, "they hand it on in clear", TestNow, "root"});
    refreshDomain(tables, "a.example", TestNow);
  });
  BOOST_TEST(standing("ann@a.example") == "withheld");
}

BOOST_AUTO_TEST_CASE(an_openpgp_key_is_known_by_what_it_is_and_serves_its_address_only) {
  const auto made = pgp::SecretKey::create("Ann", "ann@example.org", TestNow - Day, std::chrono::days(100));
  for (const auto& bytes : {made.publicKey().armored(), made.publicKey().bytes()}) {
    const auto key = importKey(bytes, "ann@example.org", TestNow, nullptr);
    BOOST_REQUIRE_MESSAGE(key.has_value(), (key ? std::string() : key.error().message));
    BOOST_TEST((key->facts.kind == listd::KeyKind::OpenPgp));
    BOOST_TEST((judgeKey(key->facts, TestNow) == Reason::ValidOpenPgpKey));
    BOOST_TEST((judgeKey(key->facts, TestNow + 200 * Day) == Reason::KeyExpired));
    BOOST_TEST(key->facts.fingerprint == made.fingerprint());
  }
  const auto other = importKey(made.publicKey().armored(), "eve@example.org", TestNow, nullptr);
  BOOST_REQUIRE(!other.has_value());
  BOOST_TEST(other.error().message.find("ann@example.org") != std::string::npos);
  const auto secret = importKey(made.serialized().view(), "ann@example.org", TestNow, nullptr);
  BOOST_TEST(!secret.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
