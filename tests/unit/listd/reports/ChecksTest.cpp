// Each live check of the control map says yes when it is so, and no when it is not.
#include "core/crypto/Digest.h"
#include "listd/reports/Controls.h"
#include "listd/reports/OwnerNotice.h"
#include "listd/reports/Report.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const app::Actor Ada = person("ada", app::Role::Admin);

struct Checked : RecordsDesk {
  using RecordsDesk::RecordsDesk;

  CheckResult check(const std::string& name) {
    const OrderCall call{"evidence.pack", Udo, Args(json::object()), {}};
    return runCheck(name, {tools, call, {TimePoint(), fromMicros(INT64_MAX)}, {}, 100});
  }
  bool shown(const std::string& name) { return check(name).shown; }

  void store(std::uint64_t id, const List& list, const std::string& content, const std::string& digest) {
    context.vault.put(id, list.id, content);
    context.site.write([&](SiteTables& tables) {
      StoredObject object;
      object.id = id;
      object.receivedAt = clock.now();
      object.size = content.size();
      object.sensitivity = "moderate";
      object.digest = digest;
      tables.archive.add(object, list.id, 0);
    });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_reports_Checks)

BOOST_AUTO_TEST_CASE(accounts_have_ids_of_their_own_and_nobody_is_no_proof) {
  Checked nobody(std::vector<std::string>{});
  BOOST_TEST(!nobody.shown("unique-ids"));
  Checked some;
  BOOST_TEST(some.shown("unique-ids"));
  BOOST_TEST(has(some.check("unique-ids").value, "3 accounts"));
}

BOOST_AUTO_TEST_CASE(roles_that_exclude_each_other_in_one_account_take_the_proof_away) {
  Checked site;
  BOOST_TEST(site.shown("roles-apart"));
  site.context.site.write([&](SiteTables& tables) {
    Account both;
    both.name = both.userHandle = "both";
    both.roles = app::Role::Admin | app::Role::Officer;
    both.createdAt = site.clock.now();
    tables.accounts.add(both);
  });
  BOOST_TEST(!site.shown("roles-apart"));
}

BOOST_AUTO_TEST_CASE(access_is_reviewed_for_a_quarter_after_the_sign_off) {
  Checked site;
  BOOST_TEST(!site.shown("access-reviewed"));
  const auto review = site.give(Pia, "access.review");
  site.give(Pia, "access.sign-off", {{"digest", review.at("digest")}, {"words", "as it should be"}});
  BOOST_TEST(site.shown("access-reviewed"));
  site.clock.advance(std::chrono::hours(24 * 100));
  BOOST_TEST(!site.shown("access-reviewed"));
}

BOOST_AUTO_TEST_CASE(an_emergency_account_must_be_sealed) {
  Checked site;
  BOOST_TEST(!site.shown("break-glass-sealed"));
  site.give(Ada, "break-glass.seal");
  BOOST_TEST(site.shown("break-glass-sealed"));
}

BOOST_AUTO_TEST_CASE(the_idle_limit_is_told_in_numbers) {
  Checked site;
  BOOST_TEST(site.shown("idle-limit"));
  BOOST_TEST(has(site.check("idle-limit").value, "15 minutes"));
}

BOOST_AUTO_TEST_CASE(a_stored_message_without_a_key_of_its_own_takes_the_proof_away) {
  Checked site;
  const auto board = makeList(site.context, "board@lists.example", true);
  site.store(1, board, "content", crypto::sha256("content"));
  BOOST_TEST(site.shown("key-for-each-object"));
  site.object(2, site.clock.now(), {board});
  BOOST_TEST(!site.shown("key-for-each-object"));
}

BOOST_AUTO_TEST_CASE(every_open_secure_list_signs_with_a_valid_certificate) {
  Checked site;
  auto board = makeList(site.context, "board@lists.example", true);
  const auto ends = [&](TimePoint at) {
    board.certificateEnds = at;
    site.context.site.write([&](SiteTables& tables) { tables.lists.update(board); });
  };
  const auto stored = site.read([&](SiteTables& tables) { return tables.lists.find(board.id); }).value();
  BOOST_TEST(site.shown("lists-sign") == (stored.certificateEnds > site.clock.now()));
  site.clock.advance(std::chrono::hours(24 * 365 * 60));
  ends(stored.certificateEnds);
  BOOST_TEST(!site.shown("lists-sign"));
}

BOOST_AUTO_TEST_CASE(the_audit_log_is_kept_from_its_first_entry_and_anchored_each_day) {
  Checked site;
  BOOST_TEST(!site.shown("audit-whole"));
  BOOST_TEST(!site.shown("audit-anchored"));
  site.matter();
  BOOST_TEST(site.shown("audit-whole"));
  site.context.site.write([&](SiteTables& tables) { tables.audit.addAnchor({"file", 1, site.clock.now(), "x"}); });
  BOOST_TEST(site.shown("audit-anchored"));
  site.clock.advance(std::chrono::hours(25));
  BOOST_TEST(!site.shown("audit-anchored"));
}

BOOST_AUTO_TEST_CASE(the_newest_message_is_opened_and_compared_with_its_digest) {
  Checked site;
  const auto board = makeList(site.context, "board@lists.example", true);
  BOOST_TEST(site.shown("content-intact"));
  site.store(1, board, "content", crypto::sha256("content"));
  BOOST_TEST(site.shown("content-intact"), site.check("content-intact").value);
  site.clock.advance(std::chrono::hours(1));
  site.store(2, board, "content", crypto::sha256("another content"));
  BOOST_TEST(!site.shown("content-intact"));
}

BOOST_AUTO_TEST_CASE(a_backup_of_the_keys_counts_for_its_life) {
  Checked site;
  BOOST_TEST(!site.shown("keys-backed-up"));
  site.give(Ada, "keys.backup");
  BOOST_TEST(site.shown("keys-backed-up"));
  site.clock.advance(std::chrono::hours(24 * 36));
  BOOST_TEST(!site.shown("keys-backed-up"));
}

BOOST_AUTO_TEST_CASE(what_is_half_destroyed_takes_the_proof_of_disposal_away) {
  Checked site;
  const auto board = makeList(site.context, "board@lists.example", true);
  BOOST_TEST(site.shown("disposals-certified"));
  site.store(1, board, "content", crypto::sha256("content"));
  site.context.site.write([&](SiteTables& tables) {
    Run run;
    run.caller = "test";
    Disposal disposal;
    disposal.objectId = 1;
    disposal.runId = tables.retention.addRun(run);
    disposal.listId = board.id;
    disposal.lists = board.address;
    tables.retention.begin(disposal);
  });
  BOOST_TEST(!site.shown("disposals-certified"));
}

BOOST_AUTO_TEST_CASE(remnants_of_destroyed_keys_take_the_proof_of_wiping_away) {
  Checked site;
  const auto board = makeList(site.context, "board@lists.example", true);
  site.store(1, board, "content", crypto::sha256("content"));
  BOOST_TEST(site.shown("space-wiped"));
  {
    auto reader = store::Database::openReader(site.folder / "keys/keys.db");
    const store::Transaction snapshot(reader, store::Transaction::Kind::Read);
    auto select = reader.prepare("SELECT count(*) FROM object_keys");
    BOOST_TEST_REQUIRE(select.bind().step());
    const std::uint64_t one[] = {1};
    site.context.vault.destroyAll(one);
    BOOST_TEST(!site.shown("space-wiped"));
  }
  site.retention.gate().cleanUp();
  site.context.vault.destroyAll({});
  BOOST_TEST(site.shown("space-wiped"));
}

BOOST_AUTO_TEST_CASE(the_retention_report_names_rules_and_lists_and_what_no_rule_covers) {
  Checked site;
  const auto board = makeList(site.context, "board@lists.example", true);
  const auto bare = makeList(site.context, "bare@lists.example", false);
  makeList(site.context, "empty@lists.example", false);
  site.object(1, site.clock.now(), {board});
  site.object(2, site.clock.now(), {bare});
  auto rule = records::Rule::parse({{"name", "Board for seven years"},
                                    {"tier", "scoped"},
                                    {"effect", "both"},
                                    {"period", "7 years"},
                                    {"scope", {{"lists", {"board@lists.example"}}}}});
  BOOST_REQUIRE(rule.has_value());
  rule->effectiveFrom = site.clock.now();
  site.context.site.write([&](SiteTables& tables) {
    tables.rules.add({*rule, false, site.clock.now(), "olga", "test", 0});
  });
  const auto rows = site.give(Udo, "report", {{"name", "retention"}}).at("rows");
  const auto rowOf = [&](const std::string& subject) {
    for (const auto& row : rows)
      if (row[1] == subject) return row;
    BOOST_FAIL("no row of " + subject + " in " + rows.dump());
    return json();
  };
  BOOST_TEST(rowOf("Board for seven years")[0] == "rule, scoped");
  BOOST_TEST(rowOf("board@lists.example")[5] == "Board for seven years");
  BOOST_TEST(rowOf("board@lists.example")[2] == 1);
  BOOST_TEST(rowOf("bare@lists.example")[5] == "no rule");
  BOOST_TEST(rowOf("bare@lists.example")[4] == "never");
  BOOST_TEST(rowOf("empty@lists.example")[3] == "nothing is kept");
}

BOOST_AUTO_TEST_CASE(owners_are_told_once_a_day_that_mail_was_read_but_not_of_a_silent_matter) {
  Checked site;
  const auto board = makeList(site.context, "board@lists.example", true);
  site.context.site.write([&](SiteTables& tables) {
    Account owner;
    owner.name = owner.userHandle = "oli";
    owner.mail = "oli@lists.example";
    owner.roles = app::Role::Owner;
    owner.createdAt = site.clock.now();
    tables.accounts.add(owner);
    tables.accounts.setLists("oli", {board.id});
  });
  const auto tell = [&](std::uint64_t matter) {
    site.context.site.write(
        [&](SiteTables& tables) { tellOwners(site.context, tables, {board.id}, matter, site.clock.now()); });
    return site.mails().size();
  };
  const auto silent = site.matter("silent");
  site.hold(silent, {{"lists", {board.address}}}, true);
  BOOST_TEST(tell(silent) == 0u);
  BOOST_TEST(tell(0) == 1u);
  BOOST_TEST(site.mails()[0].mail.recipient == "oli@lists.example");
  BOOST_TEST(site.mails()[0].mail.link.ends_with("/lists"));
  BOOST_TEST(tell(0) == 1u);
  site.clock.advance(std::chrono::hours(25));
  BOOST_TEST(tell(0) == 2u);
}

BOOST_AUTO_TEST_CASE(an_auditor_learns_of_a_silent_hold_neither_by_the_log_nor_by_its_export) {
  Checked site;
  const auto matter = site.matter();
  const auto open = site.hold(matter, {{"lists", {"a@lists.example"}}});
  const auto silent = site.hold(matter, {{"lists", {"b@lists.example"}}}, true);
  const auto objects = [&](const app::Actor& actor, const json& args) {
    std::set<std::string> found;
    const auto page = site.give(actor, "audit.list", args);
    for (const auto& item : page.at("items")) found.insert(item.at("object").get<std::string>());
    return found;
  };
  const auto nameOf = [](const json& hold) { return "hold " + std::to_string(hold.at("id").get<std::uint64_t>()); };
  BOOST_TEST(objects(Udo, json::object()).contains(nameOf(open)));
  BOOST_TEST(!objects(Udo, json::object()).contains(nameOf(silent)));
  BOOST_TEST(objects(Udo, {{"object", nameOf(silent)}}).empty());
  BOOST_TEST(objects(Olga, {{"matter", matter}}).contains(nameOf(silent)));
  const auto size = site.read([](SiteTables& tables) { return tables.audit.size(); });
  BOOST_TEST(has(site.refusal(Udo, "audit.show", {{"seq", size - 1}}), "denied"));
  std::istringstream lines(site.give(Udo, "audit.export").at("jsonl").get<std::string>());
  std::uint64_t withheld = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto row = json::parse(line);
    if (row.at("type") != "entry" || row.contains("entry")) continue;
    ++withheld;
    BOOST_TEST(!row.contains("fields"));
    BOOST_TEST(row.at("leaf").get<std::string>().size() == 64u);
  }
  BOOST_TEST(withheld == 1u);
  Run run;
  run.kept = {{"held", 3}, {"review", 1}, {"unsent", 2}};
  BOOST_TEST(publicKept(run) == (std::map<std::string, std::uint64_t>{{"must-be-kept", 4}, {"unsent", 2}}));
}

BOOST_AUTO_TEST_SUITE_END()
