#include "core/base/Files.h"
#include "listd/reports/Controls.h"
#include "listd/reports/Report.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

#include <set>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const app::Actor Oli = person("oli", app::Role::Owner);

struct Reports : RecordsDesk {
  List board = makeList(context, "board@lists.example", true);
  List social = makeList(context, "social@lists.example", false);

  json report(const std::string& name, json args = json::object(), const app::Actor& actor = Udo) {
    args["name"] = name;
    return give(actor, "report", args);
  }

  // A copy and how it was delivered; no TLS version: in clear.
  void copy(const List& list, const std::string& protection, CopyState state, const std::string& tls = "TLSv1.3") {
    context.site.write([&](SiteTables& tables) {
      Post post;
      post.acceptedId = ++number;
      post.queueId = "Q" + std::to_string(number);
      post.listId = list.id;
      post.verdict = "accepted";
      post.receivedAt = post.plannedAt = clock.now();
      const auto postId = tables.posts.add(post);
      LedgerRow row;
      row.id = number;
      row.postId = postId;
      row.recipient = "ann@example.org";
      row.protection = protection;
      tables.ledger.add(row);
      const bool delivered = state == CopyState::Delivered;
      tables.ledger.setState(row.id, state, 1, delivered ? std::optional(clock.now()) : std::nullopt);
      if (!delivered) return;
      Attempt attempt;
      attempt.attempt = 1;
      attempt.outcome = "delivered";
      attempt.at = clock.now();
      attempt.tls.version = tls;
      tables.ledger.addAttempt(row.id, attempt);
    });
  }

  std::uint64_t entry(const std::string& action, const std::string& type, const std::string& id,
                      audit::Outcome outcome = audit::Outcome::Ok, const std::string& reason = {}) {
    return context.site.write([&](SiteTables& tables) {
      audit::Event event;
      event.actorKind = "user";
      event.actor = "olga";
      event.roleUsed = "officer";
      event.action = action;
      event.objectType = type;
      event.objectId = id;
      event.outcome = outcome;
      event.reasonText = reason;
      return tables.audit.append(event);
    });
  }

  CheckResult check(const std::string& name) {
    const OrderCall call{"evidence.pack", Udo, Args(json::object()), {}};
    return runCheck(name, {tools, call, {TimePoint(), fromMicros(INT64_MAX)}, {}, 100});
  }

  std::uint64_t number = 0;
};

std::set<std::string> idsOfControls() {
  std::set<std::string> ids;
  for (const auto& control : controls()) ids.insert(control.at("id").get<std::string>());
  return ids;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_reports_Reports)

BOOST_AUTO_TEST_CASE(encryption_evidence_begins_with_plaintext_on_secure_lists_which_reads_0) {
  Reports r;
  r.copy(r.board, "smime", CopyState::Delivered);
  const auto rows = r.report("encryption").at("rows");
  BOOST_TEST(rows[0][0] == "plaintext on secure lists, ever");
  BOOST_TEST(rows[0][9] == 0);
  BOOST_TEST(rows[1].dump() == json({"", formatRfc3339(r.clock.now()).substr(0, 10), "board@lists.example", "secure",
                                     "smime", "delivered", "TLSv1.3", "", "", 1})
                                   .dump());
}

BOOST_AUTO_TEST_CASE(encryption_evidence_counts_by_day_list_and_method_and_puts_the_worst_exception_first) {
  Reports r;
  for (int i = 0; i < 3; ++i) r.copy(r.board, "smime", CopyState::Delivered);
  r.copy(r.social, "none", CopyState::Delivered, "");
  r.copy(r.board, "smime", CopyState::Expired);
  r.copy(r.board, "none", CopyState::Delivered);
  const auto rows = r.report("encryption").at("rows");
  BOOST_REQUIRE_EQUAL(rows.size(), 5u);
  BOOST_TEST(rows[1][0] == "plaintext on a secure list");
  BOOST_TEST(rows[2][0] == "not delivered");
  BOOST_TEST(rows[3][0] == "open list, without TLS");
  BOOST_TEST(rows[4][0] == "");
  BOOST_TEST(rows[4][9] == 3);
}

BOOST_AUTO_TEST_CASE(encryption_evidence_of_a_span_has_the_copies_of_posts_that_came_in_it) {
  Reports r;
  r.copy(r.board, "smime", CopyState::Delivered);
  const auto first = formatRfc3339(r.clock.now()).substr(0, 10);
  r.clock.advance(std::chrono::hours(48));
  r.copy(r.board, "openpgp", CopyState::Delivered);
  const auto second = formatRfc3339(r.clock.now()).substr(0, 10);
  const auto rowsOf = [&](const json& span) { return r.report("encryption", span).at("rows"); };
  BOOST_REQUIRE_EQUAL(rowsOf({{"from", second}}).size(), 2u);
  BOOST_TEST(rowsOf({{"from", second}})[1][4] == "openpgp");
  BOOST_REQUIRE_EQUAL(rowsOf({{"until", first}}).size(), 2u);
  BOOST_TEST(rowsOf({{"until", first}})[1][4] == "smime");
  BOOST_TEST(rowsOf(json::object()).size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_report_comes_in_pages_that_together_have_every_row_once) {
  Reports r;
  for (int i = 0; i < 25; ++i) r.entry("list.set", "list", std::to_string(i));
  std::set<std::string> seen;
  std::string after;
  int pages = 0;
  do {
    const auto page = r.report("config", {{"limit", 10}, {"after", after}});
    for (const auto& row : page.at("rows")) BOOST_TEST(seen.insert(row[3].get<std::string>()).second);
    after = page.at("next");
    ++pages;
  } while (!after.empty());
  BOOST_TEST(seen.size() == 25u);
  BOOST_TEST(pages == 3);
}

BOOST_AUTO_TEST_CASE(a_span_of_time_has_its_first_day_and_all_of_its_last) {
  Reports r;
  const auto day = formatRfc3339(r.clock.now()).substr(0, 10);
  r.entry("list.set", "list", "1");
  BOOST_TEST(r.report("config", {{"from", day}, {"until", day}}).at("rows").size() == 1u);
  r.clock.advance(std::chrono::hours(48));
  r.entry("list.set", "list", "2");
  BOOST_TEST(r.report("config", {{"until", day}}).at("rows").size() == 1u);
  BOOST_TEST(r.report("config").at("rows").size() == 2u);
}

BOOST_AUTO_TEST_CASE(content_access_names_who_read_what_and_no_text_of_a_search) {
  Reports r;
  r.entry("object.read", "object", "7", audit::Outcome::Ok, "complaint 12");
  r.entry("member.add", "list", "1");
  const auto rows = r.report("content-access").at("rows");
  BOOST_REQUIRE_EQUAL(rows.size(), 1u);
  BOOST_TEST(rows[0][1] == "olga");
  BOOST_TEST(rows[0][4] == "object 7");
  BOOST_TEST(rows[0][8] == "complaint 12");
}

BOOST_AUTO_TEST_CASE(failed_sign_ins_are_those_that_were_refused) {
  Reports r;
  r.entry("user.authenticate", "account", "");
  r.entry("user.authenticate", "account", "", audit::Outcome::Denied);
  BOOST_TEST(r.report("sign-ins").at("rows").size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_officer_gets_no_report_of_the_whole_log_and_an_auditor_no_silent_hold) {
  Reports r;
  for (const auto* name : {"config", "content-access", "sign-ins", "audit", "access", "keys"})
    BOOST_TEST(has(r.refusal(Olga, "report", {{"name", name}}), "denied"));
  BOOST_TEST(has(r.refusal(Udo, "report", {{"name", "consents"}}), "not-found"));
  const auto matter = r.matter();
  r.hold(matter, {{"lists", {r.board.address}}}, true);
  BOOST_TEST(r.report("holds").at("rows").empty());
  BOOST_TEST(r.report("holds", json::object(), Olga).at("rows").size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_owner_sees_who_read_mail_of_the_list_without_the_reason) {
  Reports r;
  r.object(7, r.clock.now(), {r.board});
  r.object(8, r.clock.now(), {r.social});
  r.entry("object.read", "object", "7", audit::Outcome::Ok, "complaint 12");
  r.entry("object.read", "object", "8", audit::Outcome::Ok, "complaint 13");
  r.entry("object.read", "object", "7", audit::Outcome::Denied);
  const auto seen = r.give(Oli, "list.content-access", {{"list", r.board.address}});
  BOOST_REQUIRE_EQUAL(seen.at("items").size(), 1u);
  BOOST_TEST(seen.at("items")[0].at("object") == "7");
  BOOST_TEST(seen.at("items")[0].at("by") == "olga");
  BOOST_TEST(!has(seen.dump(), "complaint"));
  BOOST_TEST(std::string(findOrder("list.content-access")->access.ownList) == "list");
}

BOOST_AUTO_TEST_CASE(the_signature_covers_every_cell_and_the_key_stays_the_same) {
  Reports r;
  const auto first = r.report("encryption");
  const auto second = r.report("audit");
  BOOST_TEST(first.at("publicKey") == second.at("publicKey"));
  BOOST_TEST(first.at("signature") != second.at("signature"));
  auto changed = first;
  changed["rows"][0][9] = 1;
  BOOST_TEST(canonicalJson(changed) != canonicalJson(first));
  changed = first;
  changed["signature"] = "";
  BOOST_TEST(canonicalJson(changed) == canonicalJson(first));
}

BOOST_AUTO_TEST_CASE(the_csv_has_the_columns_and_the_rows) {
  Reports r;
  const auto csv = r.report("encryption", {{"csv", true}}).at("csv").get<std::string>();
  BOOST_TEST(csv.starts_with("exception,day,list,"));
  BOOST_TEST(has(csv, "\"plaintext on secure lists, ever\",,all,"));
}

BOOST_AUTO_TEST_CASE(a_plaintext_copy_on_a_secure_list_takes_the_proof_away) {
  Reports r;
  BOOST_TEST(r.check("no-plaintext").shown);
  r.context.site.write([](SiteTables& tables) { tables.counters.take(CounterStore::Plaintext, 1); });
  BOOST_TEST(!r.check("no-plaintext").shown);
  BOOST_TEST(r.check("no-plaintext").value == "1");
}

BOOST_AUTO_TEST_CASE(old_tls_in_the_ledger_takes_the_proof_away) {
  Reports r;
  r.copy(r.social, "none", CopyState::Delivered, "TLSv1.2");
  BOOST_TEST(r.check("tls-minimum").shown);
  r.copy(r.social, "none", CopyState::Delivered, "TLSv1.1");
  BOOST_TEST(!r.check("tls-minimum").shown);
}

BOOST_AUTO_TEST_CASE(a_root_key_on_the_data_disk_forfeits_the_safe_harbour_and_says_so) {
  Reports r;
  const auto result = r.check("root-key-apart");
  BOOST_TEST(!result.shown);
  BOOST_TEST(has(result.proof, "safe harbour"));
}

BOOST_AUTO_TEST_CASE(accounts_without_a_second_factor_are_not_shown) {
  Reports r;
  BOOST_TEST(!r.check("two-factors").shown);
  r.context.site.write([&](SiteTables& tables) {
    for (const auto& account : tables.accounts.all()) {
      Factor factor;
      factor.account = account.name;
      factor.kind = "passkey";
      factor.name = "key";
      factor.credentialId = account.name;
      factor.createdAt = r.clock.now();
      tables.accounts.addFactor(factor);
    }
  });
  BOOST_TEST(r.check("two-factors").shown);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_computed_says_so_and_is_not_shown) {
  Reports r;
  const auto unknown = r.check("no-such-check");
  BOOST_TEST(!unknown.shown);
  BOOST_TEST(has(unknown.proof, "not computed"));
  const auto verify = r.check("audit-verifies");  // no checkpoint and no key yet
  BOOST_TEST(!verify.shown);
  BOOST_TEST(has(verify.proof, "not computed"));
}

BOOST_AUTO_TEST_CASE(every_technical_safeguard_is_in_the_map_with_a_check_that_exists) {
  const auto ids = idsOfControls();
  for (const auto* id :
       {"164.312(a)(1)", "164.312(a)(2)(i)", "164.312(a)(2)(ii)", "164.312(a)(2)(iii)", "164.312(a)(2)(iv)",
        "164.312(b)", "164.312(c)(1)", "164.312(c)(2)", "164.312(d)", "164.312(e)(1)", "164.312(e)(2)(i)",
        "164.312(e)(2)(ii)", "164.308(a)(1)(ii)(D)", "164.308(a)(5)(ii)(C)", "164.308(a)(7)", "164.310(d)(2)(i)",
        "164.310(d)(2)(ii)", "164.316(b)(2)(i)"})
    BOOST_TEST(ids.contains(id), id);
  const auto known = checkNames();
  for (const auto& control : controls()) {
    BOOST_TEST(!control.at("checks").empty());
    for (const auto& check : control.at("checks"))
      BOOST_TEST(std::count(known.begin(), known.end(), check.at("check").get<std::string>()) == 1);
    for (const auto& name : control.at("reports")) BOOST_TEST(findReport(name.get<std::string>()) != nullptr);
    for (const auto& test : control.at("tests"))
      BOOST_TEST(std::filesystem::exists(POSTERN_SOURCE_DIR "/tests/" + test.get<std::string>()), test);
  }
}

BOOST_AUTO_TEST_CASE(the_compliance_page_has_exactly_the_controls_of_the_map) {
  const auto page = files::read(POSTERN_SOURCE_DIR "/docs/compliance.md");
  std::set<std::string> named;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| 164.")) named.insert(line.substr(2, line.find(' ', 2) - 2));
  BOOST_TEST(named == idsOfControls(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_test_that_a_promise_names_exists) {
  const auto page = files::read(POSTERN_SOURCE_DIR "/docs/behaviours.md");
  const std::filesystem::path tests = POSTERN_SOURCE_DIR "/tests";
  std::size_t checked = 0;
  for (auto at = page.find('`'); at != std::string::npos; at = page.find('`', at)) {
    const auto end = page.find('`', at + 1);
    const auto name = page.substr(at + 1, end - at - 1);
    at = end + 1;
    if (!name.starts_with("unit/") && !name.starts_with("e2e/") && !name.starts_with("browser/")) continue;
    if (name.find('*') != std::string::npos) continue;
    ++checked;
    const auto colon = name.find(':');  // "unit/FILE:case" names a case, too
    const auto file = tests / name.substr(0, colon);
    const auto source = std::filesystem::exists(file) ? file : std::filesystem::path(file.string() + ".cpp");
    BOOST_TEST(std::filesystem::exists(source), name);
    if (colon != std::string::npos && std::filesystem::is_regular_file(source))
      BOOST_TEST(files::read(source).find(name.substr(colon + 1)) != std::string::npos, name);
  }
  BOOST_TEST(checked > 30u);
}

BOOST_AUTO_TEST_SUITE_END()
