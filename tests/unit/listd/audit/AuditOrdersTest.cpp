#include "core/audit/Checkpoint.h"
#include "core/audit/Merkle.h"
#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/Sentence.h"
#include "listd/orders/OrderDesk.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

struct Desk {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  OrderTools tools{context, gateway, troubles, passwords, TestNow};

  // The handler itself: who may give an order is shown elsewhere.
  json give(const std::string& order, const json& args = json::object(), app::Roles roles = app::Role::Auditor) {
    app::Actor actor{"cli", "root"};
    actor.roles = roles;
    const OrderCall call{order, actor, Args(args), {}};
    return findOrder(order)->handler(tools, call);
  }
  std::string refusal(const std::string& order, const json& args, app::Roles roles = app::Role::Auditor) {
    try {
      give(order, args, roles);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code;
    }
    return {};
  }
  void board() {
    give("domain.add", {{"name", "lists.example"}}, app::Role::Admin);
    give("list.create", {{"address", "board@lists.example"}, {"secure", true}}, app::Role::Admin);
    give("member.add", {{"list", "board@lists.example"}, {"address", "ann@example.org"}}, app::Role::Admin);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_audit_AuditOrders)

BOOST_AUTO_TEST_CASE(the_list_says_in_sentences_who_did_what) {
  Desk d;
  d.board();
  const auto page = d.give("audit.list");
  BOOST_TEST(page.at("size") == 3);
  BOOST_TEST(page.at("items")[0].at("sentence") == "root (admin) added a member to list board@lists.example.");
  BOOST_TEST(page.at("items")[1].at("sentence") == "root (admin) created list board@lists.example.");
  BOOST_TEST(page.at("items")[2].at("object") == "domain lists.example");
  BOOST_TEST(d.give("audit.list", {{"limit", 2}}).at("next") == "1");
  BOOST_TEST(d.give("audit.list", {{"after", "1"}}).at("items").size() == 1u);
  BOOST_TEST(d.give("audit.list", {{"action", "list.create"}}).at("items").size() == 1u);
  BOOST_TEST(d.refusal("audit.list", json::object(), app::Role::Officer) == "refused");
  const auto own = d.give("matter.create", {{"name", "Case 7"}}, app::Role::Officer).at("id").get<std::uint64_t>();
  BOOST_TEST(d.refusal("audit.list", {{"matter", own}}, app::Role::Officer).empty());
  Matter other;
  other.name = "Case 8";
  other.createdBy = "olga";
  const auto others = d.context.site.write([&](SiteTables& tables) { return tables.matters.add(other); });
  BOOST_TEST(d.refusal("audit.list", {{"matter", others}}, app::Role::Officer) == "denied");
  BOOST_TEST(d.refusal("audit.list", {{"matter", 99}}, app::Role::Officer) == "denied");
  BOOST_TEST(d.refusal("audit.list", {{"matter", others}}).empty());
}

// A new order needs words in listd/audit/Phrases.cpp.
BOOST_AUTO_TEST_CASE(every_order_and_every_action_of_the_page_has_words_for_people) {
  Desk d;
  std::vector<std::string> actions;
  for (const auto table : orderTables())
    for (const auto& row : table) actions.emplace_back(row.name);
  const auto page = files::read(POSTERN_SOURCE_DIR "/docs/audit.md");
  std::istringstream section(page.substr(page.find("## Actions that are no orders"), page.find("## Structure")));
  for (std::string line; std::getline(section, line) && line != "## Structure";)
    for (auto at = line.find('`'); line.starts_with("| `") && at < line.find(" | "); at = line.find('`', at + 1)) {
      const auto end = line.find('`', at + 1);
      actions.push_back(line.substr(at + 1, end - at - 1));
      at = end;
    }
  BOOST_TEST(actions.size() > 140u);
  for (const auto& action : actions) {
    audit::EntryView entry;
    entry[audit::Field::Action] = action;
    entry[audit::Field::ObjectType] = "matter";
    entry[audit::Field::ObjectId] = "1";
    entry[audit::Field::Outcome] = "ok";
    const auto sentence = d.context.site.read([&](SiteTables& tables) { return sentenceOf(tables, entry); });
    BOOST_TEST(sentence.find(" did ") == std::string::npos, sentence << " needs a phrase for " << action);
  }
}

BOOST_AUTO_TEST_CASE(no_person_stands_in_the_entries_by_name) {
  Desk d;
  d.board();
  for (int seq = 0; seq < 3; ++seq) {
    const auto raw = crypto::fromBase64(d.give("audit.show", {{"seq", seq}}).at("raw").get<std::string>()).value();
    for (const auto* name : {"ann@example.org", "root"}) BOOST_TEST(raw.find(name) == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(an_entry_is_shown_with_a_proof_that_verifies) {
  Desk d;
  d.board();
  BOOST_TEST(d.give("audit.show", {{"seq", 1}}).at("checkpoint") == "");
  const auto made = d.give("audit.checkpoint", json::object(), app::Role::Admin);
  BOOST_TEST(made.at("size") == 3);
  const auto shown = d.give("audit.show", {{"seq", 1}});
  const auto note = audit::parseCheckpoint(shown.at("checkpoint").get<std::string>()).value();
  BOOST_TEST(note.isSignedBy(audit::VerifierKey::parse(made.at("publicKey").get<std::string>()).value()));
  audit::Proof proof;
  for (const auto& step : shown.at("proof")) proof.push_back(crypto::fromHex(step.get<std::string>()).value());
  const auto leaf = audit::leafHash(crypto::fromBase64(shown.at("raw").get<std::string>()).value());
  BOOST_TEST(audit::checkInclusion(1, 3, leaf, proof, note.checkpoint.root));
  BOOST_TEST(d.refusal("audit.show", {{"seq", 99}}) == "not-found");
}

BOOST_AUTO_TEST_CASE(status_is_red_until_a_checkpoint_is_anchored_and_again_after_a_day) {
  Desk d;
  d.board();
  BOOST_TEST(d.give("audit.status").at("state") == "red");
  d.give("audit.checkpoint", json::object(), app::Role::Admin);
  BOOST_TEST(d.refusal("audit.anchored", {{"kind", "file"}, {"size", 2}}) == "not-found");
  d.give("audit.anchored", {{"kind", "file"}, {"size", 3}, {"receipt", "x"}}, app::Role::Admin);
  const auto status = d.give("audit.status");
  BOOST_TEST(status.at("state") == "green");
  BOOST_TEST(status.at("coverage") == 3);
  BOOST_TEST(status.at("anchors")[0].at("state") == "fresh");
  BOOST_TEST(d.give("audit.verify").at("exit") == 0);
  // The carrying away asks for no checkpoint of its own.
  BOOST_TEST(d.give("audit.checkpoint", json::object(), app::Role::Admin).at("size") == 3);
  d.clock.advance(std::chrono::hours(25));
  BOOST_TEST(d.give("audit.status").at("state") == "red");
}

BOOST_AUTO_TEST_CASE(looking_is_recorded_before_anything_is_shown) {
  Desk d;
  d.board();
  OrderDesk desk(d.tools);
  app::Actor actor{"cli", "root"};
  d.give("audit.checkpoint", json::object(), app::Role::Admin);
  try {
    desk.handle("audit.verify", actor, json::object());
  } catch (const app::OrderRefused&) {
    // Also a refusal is on record.
  }
  BOOST_TEST(d.give("audit.list").at("items")[0].at("action") == "audit.verify");
}

BOOST_AUTO_TEST_CASE(pages_of_an_export_and_consistency_come_with_their_proofs) {
  Desk d;
  d.board();
  d.give("audit.checkpoint", json::object(), app::Role::Admin);
  const auto page = d.give("audit.export", {{"from", 1}, {"to", 2}});
  BOOST_TEST(page.at("jsonl").get<std::string>().find("\"consistency\"") != std::string::npos);
  BOOST_TEST(page.at("next") == "");
  BOOST_TEST(d.give("audit.consistency", {{"from", 2}, {"to", 3}}).at("roots").size() == 2u);
  BOOST_TEST(d.refusal("audit.consistency", {{"from", 2}, {"to", 4}}) == "invalid");
}

BOOST_AUTO_TEST_CASE(an_erased_person_is_not_named_by_the_entry_of_the_erasure) {
  Desk d;
  d.board();
  const json args{{"address", "ann@example.org"}, {"reason", "asked for it"}};
  d.give("audit.erase-person", args, app::Role::Officer);
  BOOST_TEST(d.refusal("audit.erase-person", args, app::Role::Officer) == "not-found");
  const auto persons =
      d.context.site.read([](SiteTables& tables) { return tables.audit.pseudonymOf("ann@example.org"); });
  BOOST_TEST(!persons.has_value());
  BOOST_TEST(d.give("audit.list").at("items")[0].at("action") == "audit.erase-person");
}

BOOST_AUTO_TEST_SUITE_END()
