#include "listd/orders/OrderDesk.h"
#include "listd/quarantine/Quarantine.h"
#include "listd/retention/Retention.h"
#include "tests/unit/listd/Browsers.h"
#include "tests/unit/listd/retention/RetentionFixture.h"

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const app::Actor Ada{"web", "ada", {}, "s1", "192.0.2.1"};    // admin
const app::Actor Olga{"web", "olga", {}, "s2", "192.0.2.2"};  // officer
const app::Actor Otto{"web", "otto", {}, "s3", "192.0.2.3"};  // owner of list a

struct Quarantined : Site {
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  Retention retention{context, &index};
  OrderTools tools{context, gateway,    troubles, passwords, clock.now(), nullptr, nullptr,
                   nullptr, &retention, nullptr,  nullptr,   nullptr,     nullptr, &intake};
  OrderDesk desk{tools};
  Browsers browsers;

  Quarantined() {
    list("a");
    list("b");
    const auto add = [&](const char* name, app::Roles roles) {
      context.site.write([&](SiteTables& tables) {
        Account account;
        account.name = name;
        account.roles = roles;
        account.userHandle = name;
        account.mail = std::string(name) + "@example.org";
        account.state = "enabled";
        account.createdAt = clock.now();
        tables.accounts.add(account);
      });
    };
    add("ada", app::Role::Admin);
    add("olga", app::Role::Officer);
    add("otto", app::Role::Owner);
    context.site.write([&](SiteTables& tables) {
      tables.accounts.setLists("otto", {list("a").id});
      tables.retention.trustClock(clock.now());
    });
  }

  app::Submission submission(const std::vector<std::string>& names, const std::string& why) {
    std::vector<std::string> recipients;
    for (const auto& name : names) recipients.push_back(list(name).address);
    auto made = submissionTo(recipients, "ann@example.org", "canary-subject", "canary-body");
    made.receivedAt = clock.now();
    if (!why.empty()) made.notes.emplace_back(app::QuarantineNote, why);
    return made;
  }
  void take(const app::Submission& one, std::uint64_t number) {
    const app::AcceptedItem item{
        number,
        crypto::SealedBoxWriter(context.keys.vaultKeyPair().publicKey).seal(one.encode(), app::SubmissionContext)};
    intake.take({&item, 1});
  }
  std::uint64_t hold(const std::vector<std::string>& names = {"a"}, const std::string& why = "spam: add header") {
    take(submission(names, why), ++accepted);
    return held().front().id;
  }
  std::vector<HeldMessage> held(const std::string& state = {}) {
    QuarantineStore::Filter filter;
    filter.state = state;
    return context.site.read([&](SiteTables& tables) { return tables.quarantine.page(filter, 0, 100); });
  }
  HeldMessage show(std::uint64_t id) {
    return context.site.read([&](SiteTables& tables) { return tables.quarantine.find(id).value(); });
  }
  std::size_t posts() {
    return context.site.read([](SiteTables& tables) { return tables.posts.page(0, 0, 100).size(); });
  }
  json give(const app::Actor& actor, const std::string& order, const json& args) {
    return desk.handle(order, browsers.signedIn(context, actor, clock.now()), args);
  }
  std::string refusal(const app::Actor& actor, const std::string& order, const json& args) {
    try {
      give(actor, order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message;
    }
    return "";
  }
  void placeHold(const std::string& name) {
    HoldRow row;
    Matter matter;
    matter.name = "M";
    matter.createdAt = clock.now();
    context.site.write([&](SiteTables& tables) {
      row.hold.matterId = tables.matters.add(matter);
      row.hold.name = "H";
      row.hold.scope.lists = {list(name).address};
      row.hold.placedAt = clock.now();
      tables.holds.add(row);
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_quarantine_Quarantine, Quarantined)

BOOST_AUTO_TEST_CASE(what_is_held_is_in_the_vault_and_goes_nowhere) {
  const auto one = submission({"a", "b"}, "milter own: odd");
  take(one, 7);
  take(one, 7);  // the gateway gives it again after a crash
  BOOST_REQUIRE(held().size() == 1u);
  const auto message = held().front();
  BOOST_TEST(message.cause == "milter");
  BOOST_TEST(message.detail == "own: odd");
  BOOST_TEST(message.lists.size() == 2u);
  BOOST_TEST(readable(message.object));
  BOOST_TEST(posts() == 0u);
  BOOST_TEST(filesWith(folder.path(), "canary-body").empty());
  BOOST_TEST(filesWith(folder.path(), "canary-subject").empty());
}

BOOST_AUTO_TEST_CASE(a_release_makes_one_post_for_each_list_and_only_once) {
  const auto id = hold({"a", "b"});
  give(Ada, "quarantine.release", {{"ids", {id}}, {"reason", "is fine"}});
  BOOST_TEST(posts() == 2u);
  BOOST_TEST(show(id).state == "released");
  BOOST_TEST(show(id).envelope.empty());
  BOOST_TEST(refusal(Ada, "quarantine.release", {{"id", id}}).find("decided on already") != std::string::npos);
  BOOST_TEST(refusal(Ada, "quarantine.delete", {{"id", id}}).find("decided on already") != std::string::npos);
  BOOST_TEST(posts() == 2u);
}

// The decision is durable before the post is: what was between them is done by the next minute's work.
BOOST_AUTO_TEST_CASE(a_release_that_a_crash_cut_goes_on_once) {
  const auto id = hold();
  context.site.write([&](SiteTables& tables) { tables.quarantine.decide(id, "releasing", "ada", clock.now()); });
  finishReleases(tools);
  finishReleases(tools);
  BOOST_TEST(posts() == 1u);
  BOOST_TEST(show(id).state == "released");
}

BOOST_AUTO_TEST_CASE(deleting_destroys_unless_a_legal_hold_or_a_rule_keeps) {
  const auto plain = hold({"b"});
  auto answer = give(Ada, "quarantine.delete", {{"id", plain}});
  BOOST_TEST(answer.at("destroyed") == 1);
  BOOST_TEST(!readable(show(plain).object));
  BOOST_TEST(show(plain).destroyed);

  const auto kept = hold({"a"});
  placeHold("a");
  answer = give(Ada, "quarantine.delete", {{"id", kept}});
  BOOST_TEST(answer.at("destroyed") == 0);
  BOOST_TEST(answer.at("mustBeKept") == 1);
  BOOST_TEST(readable(show(kept).object));

  const auto retained = hold({"b"});
  rule({{"tier", "floor"}, {"effect", "retain"}, {"period", "6 years"}});
  BOOST_TEST(give(Ada, "quarantine.delete", {{"id", retained}}).at("mustBeKept") == 1);
  BOOST_TEST(readable(show(retained).object));
}

BOOST_AUTO_TEST_CASE(what_nobody_decides_on_ends_after_its_days) {
  const auto id = hold();
  goTo("2016-01-30");
  lookAfterQuarantine(tools);
  BOOST_TEST(show(id).state == "held");
  goTo("2016-01-31");
  lookAfterQuarantine(tools);
  BOOST_TEST(show(id).state == "expired");
  BOOST_TEST(show(id).destroyed);
  BOOST_TEST(!readable(show(id).object));
  BOOST_TEST(lines() == 1u);
}

BOOST_AUTO_TEST_CASE(a_held_message_under_a_legal_hold_is_tried_again_each_day_and_kept) {
  const auto id = hold();
  placeHold("a");
  goTo("2016-03-01");
  lookAfterQuarantine(tools);
  BOOST_TEST(show(id).state == "expired");
  BOOST_TEST(!show(id).destroyed);
  goTo("2016-03-03");
  lookAfterQuarantine(tools);
  BOOST_TEST(readable(show(id).object));
}

BOOST_AUTO_TEST_CASE(a_trusted_author_passes_the_spam_filter_and_nothing_else_and_only_when_proven) {
  give(Ada, "quarantine.release", {{"id", hold()}, {"trust", true}});
  const auto proven = [&](const char* why, const char* word) {
    auto one = submission({"a"}, why);
    one.notes.emplace_back(app::SenderProvenNote, word);
    const auto before = held().size();
    take(one, ++accepted);
    return held().size() == before;
  };
  BOOST_TEST(proven("spam: add header", "yes"));
  BOOST_TEST(!proven("spam: add header", "no"));
  BOOST_TEST(!proven("spam: add header", "unknown"));
  BOOST_TEST(!proven("policy p: odd", "yes"));
  BOOST_TEST(!proven("milter m: odd", "yes"));
  auto both = submission({"a", "b"}, "spam: reject");  // trusted for one of its lists
  both.notes.emplace_back(app::SenderProvenNote, "yes");
  const auto before = held().size();
  take(both, ++accepted);
  BOOST_TEST(held().size() == before + 1);
  BOOST_TEST(give(Ada, "quarantine.trusted", json::object()).at("items").size() == 1u);
  give(Otto, "quarantine.untrust", {{"list", "a@lists.example"}, {"address", "ann@example.org"}});
  BOOST_TEST(!proven("spam: add header", "yes"));
}

BOOST_AUTO_TEST_CASE(infected_mail_needs_an_administrators_word) {
  const auto message = mail::Message::parse(submission({"a"}, "").content);
  holdMessage(context, 99, submission({"a"}, ""), &*message, {list("a").id}, {"virus", "Eicar"});
  const auto id = held().front().id;
  BOOST_TEST(refusal(Ada, "quarantine.release", {{"id", id}}).find("infected") != std::string::npos);
  BOOST_TEST(refusal(Otto, "quarantine.release", {{"id", id}, {"infected", true}}).find("infected") !=
             std::string::npos);
  give(Ada, "quarantine.release", {{"id", id}, {"infected", true}});
  BOOST_TEST(posts() == 1u);
}

BOOST_AUTO_TEST_CASE(owners_see_and_decide_what_is_for_their_lists_alone_and_administrators_read_nothing) {
  const auto mine = hold({"a"}), others = hold({"b"}), shared = hold({"a", "b"});
  const auto seen = give(Otto, "quarantine.list", json::object()).at("items");
  BOOST_TEST(seen.size() == 2u);
  BOOST_TEST(refusal(Otto, "quarantine.show", {{"id", others}}).starts_with("not-found"));
  BOOST_TEST(refusal(Otto, "quarantine.release", {{"id", shared}}).starts_with("denied"));
  BOOST_TEST(refusal(Otto, "quarantine.read", {{"id", shared}, {"reason", "x"}}).starts_with("denied"));
  BOOST_TEST(give(Otto, "quarantine.read", {{"id", mine}, {"reason", "x"}}).at("subject") == "canary-subject");
  BOOST_TEST(refusal(Ada, "quarantine.read", {{"id", mine}, {"reason", "x"}}).starts_with("denied"));
  for (const char* order : {"quarantine.list", "quarantine.show"})
    BOOST_TEST(give(Ada, order, {{"id", mine}}).dump().find("canary") == std::string::npos);
  give(Olga, "quarantine.read", {{"id", shared}, {"reason", "matter 3"}});
  const auto told = context.site.read(
      [](SiteTables& tables) { return tables.siteMail.newestOf(SiteMail::Kind::ContentAccess, "otto@example.org"); });
  BOOST_TEST(told.has_value());
  // One of several that may not be decided on: nothing happens to any.
  BOOST_TEST(!refusal(Otto, "quarantine.delete", {{"ids", {mine, shared}}}).empty());
  BOOST_TEST(show(mine).state == "held");
  BOOST_TEST(give(Otto, "quarantine.delete", {{"ids", {mine}}}).at("deleted") == 1);
}

BOOST_AUTO_TEST_CASE(keepers_are_told_once_a_day_and_only_of_what_is_new) {
  const auto mailTo = [&](const char* keeper) {
    return context.site.read(
        [&](SiteTables& tables) { return tables.siteMail.newestOf(SiteMail::Kind::Quarantine, keeper); });
  };
  lookAfterQuarantine(tools);
  BOOST_TEST(!mailTo("otto@example.org").has_value());
  hold({"a"});
  hold({"b"});
  lookAfterQuarantine(tools);
  const auto first = mailTo("otto@example.org");
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(first->mail.lines.at(0) == "1");
  BOOST_TEST(mailTo("postmaster@lists.example").has_value());
  goTo("2016-01-03");
  lookAfterQuarantine(tools);  // nothing new
  BOOST_TEST((mailTo("otto@example.org")->createdAt == first->createdAt));
  hold({"a"});
  lookAfterQuarantine(tools);
  BOOST_TEST(mailTo("otto@example.org")->mail.lines.at(0) == "2");
}

BOOST_AUTO_TEST_SUITE_END()
