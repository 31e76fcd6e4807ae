// Holds as the stores and the pure evaluator see them: scenarios 7, 8, 9 and 11 of the records rules, and who
// may know of what.
#include "core/records/Disposition.h"
#include "core/records/Hold.h"
#include "listd/mailout/MailToken.h"
#include "listd/matters/Erasure.h"
#include "listd/matters/Scopes.h"
#include "listd/requests/MinuteWork.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

using namespace postern;
using namespace postern::test;
using records::Truth;

namespace {

TimePoint day(int year, unsigned month, unsigned dayOfMonth, std::chrono::seconds time = std::chrono::seconds(0)) {
  return std::chrono::sys_days(std::chrono::year(year) / month / dayOfMonth) + time;
}
constexpr std::chrono::seconds LastSecond{86'399};

struct Holds : RecordsDesk {
  using RecordsDesk::RecordsDesk;

  void at(TimePoint time) { clock.advance(time - clock.now()); }
  List list(const std::string& name) { return makeList(context, name, false); }

  void release(std::uint64_t hold, std::uint64_t grace = 30) {
    const auto asked = give(Olga, "hold.release", releaseOf(hold, "settled", grace));
    give(Pia, "request.approve", {{"id", asked.at("request").at("id")}});
  }

  bool held(const std::vector<List>& lists, TimePoint receivedAt, TimePoint when, Truth content = Truth::True,
            std::optional<TimePoint> headerDate = std::nullopt, std::optional<TimePoint> since = std::nullopt) {
    std::vector<records::Facts::ListFacts> of;
    for (const auto& each : lists) of.push_back({each.address, each.domain, each.sensitivity});
    records::Facts facts;
    facts.lists = of;
    facts.receivedAt = receivedAt;
    facts.headerDate = headerDate;
    facts.evaluableSince = since;
    const auto all = read([&](SiteTables& tables) { return tables.holds.allInForce(when); });
    return std::any_of(all.begin(), all.end(), [&](const records::Hold& hold) {
      return records::holds(hold, facts, hold.scope.needsContent() ? content : Truth::True, when);
    });
  }
};

json onList(const std::string& address) {
  return {{"lists", {address}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_matters_Holds)

BOOST_AUTO_TEST_CASE(scenario_7_hold_placed_a_second_before_keeps_until_release_and_grace) {
  Holds h;
  const auto cardio = h.list("cardio@lists.example");
  h.at(day(2024, 12, 31, LastSecond));
  const auto id = h.hold(h.matter(), onList(cardio.address)).at("id").get<std::uint64_t>();
  const auto m = day(2024, 1, 1);
  h.at(day(2025, 1, 2));
  BOOST_TEST(h.held({cardio}, m, h.clock.now()));
  h.at(day(2025, 6, 1));
  h.release(id);
  BOOST_TEST(h.held({cardio}, m, day(2025, 6, 15)));
  BOOST_TEST(h.held({cardio}, m, day(2025, 6, 30, LastSecond)));
  BOOST_TEST(!h.held({cardio}, m, day(2025, 7, 1)));
}

BOOST_AUTO_TEST_CASE(scenario_8_overlapping_holds_are_additive_and_each_ends_alone) {
  Holds h;
  const auto a = h.list("a@lists.example");
  h.at(day(2024, 3, 1));
  const auto matter = h.matter();
  const auto first = h.hold(matter, onList(a.address)).at("id").get<std::uint64_t>();
  h.at(day(2024, 9, 1));
  h.hold(matter, {{"addresses", {"bob@example.org"}}});
  h.at(day(2025, 2, 1));
  h.release(first);
  const auto m = day(2024, 1, 1);
  const auto readable = day(2024, 1, 1);
  const auto m1 = [&](TimePoint when) { return h.held({a}, m, when, Truth::True, {}, readable); };
  const auto m2 = [&](TimePoint when) { return h.held({a}, m, when, Truth::False, {}, readable); };
  BOOST_TEST(m1(day(2025, 4, 1)));
  BOOST_TEST(m2(day(2025, 3, 2)));
  BOOST_TEST(!m2(day(2025, 3, 3)));
}

BOOST_AUTO_TEST_CASE(scenario_9_dates_are_inclusive_on_either_date_and_for_mail_that_came_later) {
  Holds h;
  const auto a = h.list("a@lists.example");
  h.at(day(2025, 2, 10));
  h.hold(h.matter(), {{"lists", {a.address}}, {"from", "2025-01-01"}, {"until", "2025-03-31"}});
  const auto when = day(2025, 8, 1);
  const auto end = day(2025, 3, 31, LastSecond);
  BOOST_TEST(h.held({a}, end, when, Truth::True, end));
  BOOST_TEST(!h.held({a}, day(2025, 4, 1), when, Truth::True, day(2025, 4, 1)));
  BOOST_TEST(h.held({a}, day(2025, 4, 2), when, Truth::True, day(2025, 3, 15)));
  const auto before = day(2024, 12, 31, LastSecond);
  BOOST_TEST(!h.held({a}, before, when, Truth::True, before));
}

BOOST_AUTO_TEST_CASE(unreadable_and_unindexed_mail_counts_as_held) {
  Holds h;
  const auto a = h.list("a@lists.example");
  h.hold(h.matter(), {{"query", "dialysis"}});
  const auto now = h.clock.now();
  BOOST_TEST(h.held({a}, now, now, Truth::Unknown));
  BOOST_TEST(h.held({a}, now, now, Truth::False));  // said without an index: not believed
  BOOST_TEST(!h.held({a}, now, now, Truth::False, {}, now - std::chrono::days(40)));
  h.object(1, now, {a});
  const auto preview = h.give(Olga, "hold.preview", {{"scope", {{"query", "dialysis"}}}});
  BOOST_TEST(preview.at("objects") == 1);
  BOOST_TEST(preview.at("notEvaluable") == 1);
}

BOOST_AUTO_TEST_CASE(scenario_11_deletion_hides_erasure_answers_alike_and_the_hold_outlives_the_rule) {
  const auto answerWith = [](const std::string& keptFor, bool silentHold) {
    Holds h;
    h.at(day(2024, 5, 1));
    const auto cardio = h.list("cardio@lists.example");
    addMember(h.context, cardio, "ann@example.org");
    h.object(1, day(2024, 5, 1), {cardio});
    h.context.site.write([&](SiteTables& tables) {
      Post post;
      post.acceptedId = 1;
      post.queueId = "Q1";
      post.listId = cardio.id;
      post.mailFrom = "Ann@example.org";
      post.client = "{}";
      post.sensitivity = "moderate";
      post.vaultObject = 1;
      post.verdict = "accepted";
      tables.posts.add(post);
    });
    h.at(day(2025, 3, 1));
    h.give(person("olaf", app::Role::Owner), "list.delete", {{"address", cardio.address}});
    BOOST_TEST(h.refusal(Olga, "list.show", {{"address", cardio.address}}) ==
               "not-found: there is no list cardio@lists.example");
    if (silentHold) h.hold(h.matter(), onList(cardio.address), true);
    const auto* row = findOrder("erasure.answer");
    BOOST_REQUIRE(row != nullptr);
    const auto answer = answerErasure(
        h.tools, {"erasure.answer", Olga, Args(json{{"address", "ann@example.org"}, {"reason", "asked"}}), {}},
        [&](DestructionCaller caller, const std::vector<DestructionGate::Target>& targets) {
          BOOST_TEST((caller == DestructionCaller::Erasure));
          BOOST_TEST(targets.size() == 1u);
          return std::vector<DestructionGate::Verdict>{{targets.front(), false, false, keptFor, "words of the gate"}};
        });
    BOOST_TEST(h.read([&](SiteTables& tables) { return tables.lists.find(cardio.id)->deletedAt != TimePoint(); }));
    BOOST_TEST(h.read([&](SiteTables& tables) { return tables.formerMembers.ofList(cardio.id).size(); }) == 1u);
    BOOST_TEST(h.context.keys.signingKey(cardio.id, ListSigningKey).has_value());
    BOOST_TEST(h.read([](SiteTables& tables) { return tables.archive.reference(1, 1)->hiddenAt.has_value(); }));
    if (silentHold) {
      BOOST_TEST(h.held({cardio}, day(2024, 5, 1), day(2031, 1, 1)));
      h.at(day(2031, 1, 1));
      h.context.site.write([&](SiteTables& tables) { BOOST_TEST(clearFormerMembers(tables, h.clock.now()) == 0u); });
    } else {
      h.at(day(2031, 1, 1));
      h.context.site.write([&](SiteTables& tables) { BOOST_TEST(clearFormerMembers(tables, h.clock.now()) == 1u); });
    }
    return answer.dump();
  };
  const auto forRule = answerWith("not-due", false);
  const auto forHold = answerWith("held", true);
  BOOST_TEST(forRule == forHold);
  BOOST_TEST(has(forRule, "legal obligation"));
  BOOST_TEST(!has(forRule, "hold"));
  BOOST_TEST(!has(forRule, "words of the gate"));
}

BOOST_AUTO_TEST_CASE(a_silent_hold_is_not_there_for_those_who_may_not_see_it) {
  Holds h;
  const auto matter = h.matter();
  h.give(Olga, "custodian.add", {{"matter", matter}, {"address", "bob@example.org"}});
  const auto id = h.hold(matter, onList("a@lists.example"), true).at("id");
  h.give(Olga, "hold.release", h.releaseOf(id, "settled"));
  const auto admin = person("root", app::Role::Admin);
  for (const auto& who : {Udo, person("eve", app::Role::Helpdesk), admin}) {
    BOOST_TEST(h.give(who, "hold.list").at("items").empty());
    BOOST_TEST(h.refusal(who, "hold.show", {{"id", id}}) == "not-found: there is no hold 1");
    BOOST_TEST(h.refusal(who, "hold.show", {{"id", 99}}) == "not-found: there is no hold 99");
    const auto shown = h.give(who, "matter.show", {{"id", matter}});
    BOOST_TEST(shown.at("holds").empty());
    BOOST_TEST(shown.at("openHolds") == 0);
    BOOST_TEST(!has(shown.dump(), "settled"));
    BOOST_TEST(!has(h.give(who, "request.list").dump(), "settled"));
  }
  BOOST_TEST(h.give(Olga, "hold.list").at("items").size() == 1u);
  BOOST_TEST(h.give(Pia, "request.list").at("waiting") == 1);
  h.clock.advance(std::chrono::days(30));
  lookAfterHolds(h.tools, h.clock.now());
  BOOST_TEST(h.mails().empty());  // nobody is told
  BOOST_TEST(has(
      h.refusal(Olga, "hold.place",
                {{"matter", matter}, {"name", "x"}, {"scope", json::object()}, {"silent", true}, {"notice", "text"}}),
      "a silent hold has no notice"));
}

BOOST_AUTO_TEST_CASE(a_release_needs_a_second_person_and_no_grace_needs_one_for_certain) {
  Holds h;
  const auto a = h.list("a@lists.example");
  const auto matter = h.matter();
  const auto id = h.hold(matter, onList(a.address)).at("id").get<std::uint64_t>();
  const auto m = h.clock.now();
  const auto asked = h.give(Olga, "hold.release", h.releaseOf(id, "settled"));
  BOOST_TEST(h.give(Olga, "hold.show", {{"id", id}}).at("state") == "in-force");
  BOOST_TEST(has(h.refusal(Olga, "matter.close", {{"id", matter}}), "holds of this matter are open"));
  BOOST_TEST(has(h.refusal(Olga, "hold.release", h.releaseOf(id, "settled")), "asks for this already"));
  BOOST_TEST(has(h.refusal(Olga, "request.approve", {{"id", asked.at("request").at("id")}}), "another person"));
  h.give(Pia, "request.refuse", {{"id", asked.at("request").at("id")}});
  h.clock.advance(std::chrono::days(1000));
  BOOST_TEST(h.held({a}, m, h.clock.now()));
  h.release(id, 0);
  BOOST_TEST(!h.held({a}, m, h.clock.now()));
  h.give(Olga, "matter.close", {{"id", matter}});
  BOOST_TEST(has(h.refusal(Olga, "hold.place", {{"matter", matter}, {"name", "x"}, {"scope", onList(a.address)}}),
                 "is closed"));

  Holds lone({"olga"});
  lone.config.outsideAddress = "notary@outside.example";
  const auto only = lone.hold(lone.matter(), onList(a.address)).at("id");
  BOOST_TEST(has(lone.refusal(Olga, "hold.release", lone.releaseOf(only, "x", 0)), "only a second person"));
  BOOST_TEST(lone.refusal(Olga, "hold.release", lone.releaseOf(only, "x")).empty());
}

BOOST_AUTO_TEST_CASE(a_release_needs_a_what_if_of_that_hold_and_tells_what_becomes_due_and_when) {
  Holds h;
  const auto a = h.list("a@lists.example");
  const auto b = h.list("b@lists.example");
  for (std::uint64_t id = 1; id <= 3; ++id) h.object(id, h.clock.now(), {id == 3 ? b : a});
  h.give(Olga, "rule.propose",
         {{"rule", {{"name", "D"}, {"tier", "default"}, {"effect", "both"}, {"period", "90 days"}}},
          {"reason", "policy"},
          {"whatIf", h.give(Olga, "what-if.run",
                            {{"rule", {{"name", "D"}, {"tier", "default"}, {"effect", "both"}, {"period", "90 days"}}}})
                         .at("id")}});
  h.give(Pia, "request.approve", {{"id", h.give(Pia, "request.list").at("items").at(0).at("id")}});
  h.clock.advance(std::chrono::days(200));
  const auto matter = h.matter();
  const auto id = h.hold(matter, onList(a.address)).at("id");
  const auto other = h.hold(matter, onList(b.address), true).at("id");
  BOOST_TEST(has(h.refusal(Olga, "hold.release", {{"id", id}, {"reason", "x"}}), "stored what-if"));
  auto args = h.releaseOf(id, "settled");
  args["whatIf"] = h.releaseOf(other, "x").at("whatIf");
  BOOST_TEST(has(h.refusal(Olga, "hold.release", args), "another change"));

  const auto whatIf = h.give(Olga, "what-if.run", {{"releaseHold", id}});
  BOOST_TEST(whatIf.at("releaseHold") == std::to_string(id.get<std::uint64_t>()));
  BOOST_TEST(whatIf.at("becomesDue") == 2);
  BOOST_TEST(whatIf.at("held") == 1);
  BOOST_REQUIRE_EQUAL(whatIf.at("due").size(), 1u);
  BOOST_TEST(whatIf.at("due").at(0).at("list") == a.address);
  BOOST_TEST(whatIf.at("earlier").at(0).at("after") == toMicros(h.clock.now() + std::chrono::days(30)));
  const auto csv = h.give(Olga, "what-if.csv", {{"id", whatIf.at("id")}, {"limit", 1}});
  BOOST_TEST(csv.at("next") == "1");
  BOOST_TEST(has(csv.at("csv"), "1,a@lists.example,"));
  const auto rest = h.give(Olga, "what-if.csv", {{"id", whatIf.at("id")}, {"after", csv.at("next")}});
  BOOST_TEST(rest.at("next") == "");
  BOOST_TEST(has(rest.at("csv"), "2,a@lists.example,"));
  BOOST_TEST(!has(rest.at("csv"), "3,b@lists.example,"));

  const auto request = h.give(Olga, "hold.release", h.releaseOf(id, "settled")).at("request");
  BOOST_TEST(request.at("whatIf").at("becomesDue") == 2);
  BOOST_TEST(has(request.at("title"), "2 messages"));
  // What is silent is not there for an auditor, by no way round.
  BOOST_TEST(has(h.refusal(Udo, "what-if.run", {{"releaseHold", other}}), "there is no hold"));
  const auto quiet = h.releaseOf(other, "x").at("whatIf");
  BOOST_TEST(has(h.refusal(Udo, "what-if.show", {{"id", quiet}}), "no such what-if"));
  BOOST_TEST(has(h.refusal(Udo, "what-if.csv", {{"id", quiet}}), "no such what-if"));
  const auto told = h.give(Udo, "what-if.run", json::object());
  const auto known = h.give(Olga, "what-if.run", json::object());
  BOOST_TEST(told.at("held").is_null());
  BOOST_TEST(told.at("reviews").is_null());
  BOOST_TEST(known.at("held") == 3);
  BOOST_TEST(told.at("mustBeKept") == 3);
  BOOST_TEST(told.at("becomesDue") == known.at("becomesDue"));
  const auto openOnly = h.give(Udo, "what-if.csv", {{"id", told.at("id")}}).at("csv");
  const auto every = h.give(Olga, "what-if.csv", {{"id", told.at("id")}}).at("csv");
  const auto lineOf = [](const std::string& rows, const std::string& start) {
    const auto at = rows.find("\r\n" + start);
    return at == std::string::npos ? std::string() : rows.substr(at + 2, rows.find("\r\n", at + 2) - at - 2);
  };
  BOOST_TEST(lineOf(openOnly, "1,a@lists.example,").ends_with(",yes"));
  BOOST_TEST(lineOf(openOnly, "3,b@lists.example,").ends_with(",no"));
  BOOST_TEST(lineOf(every, "3,b@lists.example,").ends_with(",yes"));
}

BOOST_AUTO_TEST_CASE(p10_no_release_gives_eligibility_before_its_grace_is_over) {
  Holds h;
  const auto a = h.list("a@lists.example");
  const auto matter = h.matter();
  for (const auto grace : {1, 7, 30, 400}) {
    const auto id = h.hold(matter, onList(a.address)).at("id").get<std::uint64_t>();
    const auto released = h.clock.now();
    h.release(id, static_cast<std::uint64_t>(grace));
    const auto end = released + std::chrono::days(grace);
    BOOST_TEST(h.held({a}, released, end - std::chrono::microseconds(1)));
    BOOST_TEST(!h.held({a}, released, end));
    h.at(end);
  }
}

BOOST_AUTO_TEST_CASE(a_custodian_is_told_by_a_mail_without_content_reminded_weekly_and_acknowledges_once) {
  Holds h;
  const auto matter = h.matter("Case of the heart");
  h.give(Olga, "custodian.add", {{"matter", matter}, {"address", "Bob@Example.org"}, {"name", "Bob"}});
  h.hold(matter, onList("a@lists.example"), false, "Keep all mail about the heart.");
  BOOST_REQUIRE(h.mails().size() == 1u);
  const auto mail = h.mails().front().mail;
  BOOST_TEST(mail.recipient == "bob@example.org");
  BOOST_TEST(mail.lines.empty());
  BOOST_TEST(!has(mail.link, "heart"));
  const auto token = h.token();
  const auto custodian = [&] { return h.give(Olga, "matter.show", {{"id", matter}}).at("custodians").front(); };
  BOOST_TEST(custodian().at("state") == "waiting");
  for (int week = 1; week <= 3; ++week) {
    h.clock.advance(std::chrono::days(7));
    lookAfterHolds(h.tools, h.clock.now());
    lookAfterHolds(h.tools, h.clock.now());
    BOOST_TEST(h.mails().size() == 1u + static_cast<unsigned>(week));
  }
  BOOST_TEST(custodian().at("state") == "overdue");
  const app::Actor nobody{"system", ""};
  const auto shown = h.give(nobody, "notice.show", {{"token", token}});
  BOOST_TEST(shown.at("text") == "Keep all mail about the heart.");
  BOOST_TEST(shown.at("matter") == "Case of the heart");
  BOOST_TEST(h.give(nobody, "notice.acknowledge", {{"token", token}}).at("acknowledgedAt") != 0);
  BOOST_TEST(has(h.refusal(nobody, "notice.acknowledge", {{"token", token}}), "confirmed already"));
  BOOST_TEST(custodian().at("state") == "acknowledged");
  h.clock.advance(std::chrono::days(70));
  lookAfterHolds(h.tools, h.clock.now());
  BOOST_TEST(h.mails().size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_token_is_bound_to_its_purpose_its_notice_and_its_person) {
  Holds h;
  const auto matter = h.matter();
  for (const auto* address : {"bob@example.org", "carol@example.org"})
    h.give(Olga, "custodian.add", {{"matter", matter}, {"address", address}});
  h.hold(matter, onList("a@lists.example"), false, "Keep it.");
  const auto& root = h.context.root;
  const auto right = makeMailToken(root, NoticePurpose, 1, "bob@example.org");
  const auto works = [&](const std::string& token) {
    return h.refusal({"system", ""}, "notice.show", {{"token", token}}).empty();
  };
  BOOST_TEST(works(right));
  BOOST_TEST(!works(makeMailToken(root, NoticePurpose, 1, "carol@example.org")));
  BOOST_TEST(!works(makeMailToken(root, NoticePurpose, 2, "bob@example.org")));
  BOOST_TEST(!works(makeMailToken(root, "request stop", 1, "bob@example.org")));
  BOOST_TEST(!works(right.substr(0, right.size() - 1)));
  BOOST_TEST(!works(right + "A"));
  BOOST_TEST(!works("x"));
  for (std::size_t i = 0; i < right.size(); ++i) {
    auto changed = right;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    BOOST_TEST(!works(changed));
  }
}

BOOST_AUTO_TEST_CASE(a_removed_member_is_kept_apart_and_hidden_and_nothing_tells_of_a_hold) {
  Holds h;
  const auto a = h.list("a@lists.example");
  const auto b = h.list("b@lists.example");
  for (const auto& each : {a, b}) addMember(h.context, each, "ann@example.org");
  h.hold(h.matter(), onList(a.address), true);
  for (const auto& each : {a, b})
    BOOST_TEST(h.give(Olga, "member.remove", {{"list", each.address}, {"address", "ann@example.org"}}) ==
               json::object());
  BOOST_TEST(h.give(Olga, "member.list", {{"list", a.address}}).at("items").empty());
  const auto former = [&](const List& list) {
    return h.read([&](SiteTables& tables) { return tables.formerMembers.ofList(list.id).size(); });
  };
  BOOST_TEST(former(a) == 1u);
  BOOST_TEST(former(b) == 1u);
  h.context.site.write([&](SiteTables& tables) { BOOST_TEST(clearFormerMembers(tables, h.clock.now()) == 0u); });
  h.clock.advance(std::chrono::days(15));
  h.context.site.write([&](SiteTables& tables) { BOOST_TEST(clearFormerMembers(tables, h.clock.now()) == 1u); });
  BOOST_TEST(former(a) == 1u);
  BOOST_TEST(former(b) == 0u);
}

BOOST_AUTO_TEST_CASE(a_preview_counts_what_a_hold_would_keep_and_pages_show_the_count) {
  Holds h;
  const auto a = h.list("a@lists.example");
  const auto b = h.list("b@lists.example");
  const auto now = h.clock.now();
  h.object(1, now - std::chrono::days(100), {a});
  h.object(2, now - std::chrono::hours(2), {a, b});
  h.object(3, now - std::chrono::hours(1), {b});
  const auto preview = h.give(Olga, "hold.preview", {{"scope", onList(a.address)}});
  BOOST_TEST(preview.at("objects") == 2);
  BOOST_TEST(preview.at("notEvaluable") == 0);
  BOOST_TEST(preview.at("growth24h") == 1);
  BOOST_TEST(preview.at("oldestAt") == toMicros(now - std::chrono::days(100)));
  BOOST_TEST(preview.at("newestAt") == toMicros(now - std::chrono::hours(2)));
  BOOST_TEST(preview.at("sample").front().at("object") == 2);
  const auto id = h.hold(h.matter(), onList(a.address)).at("id");
  BOOST_TEST(h.give(Olga, "hold.show", {{"id", id}}).at("objects").is_null());
  lookAfterHolds(h.tools, now);
  BOOST_TEST(h.give(Olga, "hold.show", {{"id", id}}).at("objects") == 2);
}

BOOST_AUTO_TEST_SUITE_END()
