#include "tests/unit/listd/orders/DeskFixture.h"

#include <map>
#include <set>
#include <sstream>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

std::string annPem(TimePoint now = TestNow) {
  return memberCertificate("ann@example.org", now).parsed().pem();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_orders_OrderDesk)

// Who may give which order, as docs/orders.md says: name -> the letters of the column "who", with ⇧ for a step-up.
std::map<std::string, std::string> documentedOrders() {
  std::map<std::string, std::string> documented;
  const auto page = files::read(POSTERN_SOURCE_DIR "/docs/orders.md");
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const auto end = line.find(" | ", 2);
    const auto cell = line.substr(2, end - 2);
    auto who = line.substr(end + 3, line.find(" |", end + 3) - end - 3);
    if (has(cell, "⇧")) who += "⇧";
    for (auto at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const auto close = cell.find('`', at + 1);
      documented[cell.substr(at + 1, close - at - 1)] = who;
      at = close;
    }
  }
  return documented;
}

BOOST_AUTO_TEST_CASE(the_table_and_the_page_of_orders_name_the_same_orders) {
  std::set<std::string> documented;
  for (const auto& [name, who] : documentedOrders()) documented.insert(name);
  std::set<std::string> known;
  for (const auto table : orderTables())
    for (const auto& order : table) known.insert(std::string(order.name));
  BOOST_TEST(known == documented, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_order_is_allowed_and_denied_to_every_role_exactly_as_the_page_says) {
  using app::Role;
  const std::map<char, Role> letters = {{'A', Role::Admin},    {'O', Role::Officer},   {'P', Role::Approver},
                                        {'U', Role::Auditor},  {'K', Role::Custodian}, {'W', Role::Owner},
                                        {'H', Role::Helpdesk}, {'M', Role::Member}};
  const auto documented = documentedOrders();
  const json args{{"list", "mine@lists.example"}, {"address", "mine@lists.example"}};
  for (const auto table : orderTables()) {
    for (const auto& row : table) {
      const std::string name(row.name);
      const auto who = documented.at(name);
      const bool open = has(who, "–");
      BOOST_TEST(denialOf(row, {}, args, true).has_value() == !open, name << " without sign-in");
      for (const auto& [letter, role] : letters) {
        Person person;
        person.account = "pat";
        person.roles = role;
        person.lists = {"mine@lists.example"};
        const bool allowed = open || has(who, "*") || has(who, std::string(1, letter));
        BOOST_TEST(!denialOf(row, person, args, true) == allowed, name << " as " << app::roleWord(role));
        if (!allowed) continue;
        const auto again = denialOf(row, person, args, false);
        BOOST_TEST((again && again->code == "step-up") == has(who, "⇧"), name << " step-up");
        person.byToken = true;
        if (!open)
          BOOST_TEST(denialOf(row, person, args, true)->code == "denied", name << " by a token without scopes");
      }
    }
  }
}

// Screens of the administrator are full of ids, times and sizes; what was written stays with others.
BOOST_AUTO_TEST_CASE(no_order_that_shows_subjects_or_bodies_is_open_to_the_administrator) {
  for (const auto* name :
       {"object.read", "search", "search.save", "search.list", "export.create", "export.list", "export.show",
        "export.read", "hold.preview", "hold.place", "matter.show", "retention.explain", "what-if.run"}) {
    const auto* row = findOrder(name);
    if (row) BOOST_TEST((!row->access.roles.empty() && !row->access.roles.has(app::Role::Admin)), name);
  }
  for (const auto table : orderTables())
    for (const auto& row : table)
      if (row.kind == OrderKind::Looks)
        BOOST_TEST((row.name.starts_with("audit.") || row.name == "report.delivery" ||  // tells what trace tells
                    row.name == "policy.explain" ||  // of a stored message the verdicts alone: PolicyOrdersTest
                    !row.access.roles.has(app::Role::Admin)),
                   row.name);
}

BOOST_AUTO_TEST_CASE(an_unknown_order_and_bad_arguments_are_refused_with_words) {
  Desk d;
  BOOST_TEST(has(d.refusal("no.such"), "usage: there is no order"));
  BOOST_TEST(has(d.refusal("list.show"), "usage: \"address\" is missing"));
  BOOST_TEST(has(d.refusal("list.show", {{"address", "not an address"}}),
                 "invalid: \"not an address\" is not a mail address"));
  BOOST_TEST(has(d.refusal("list.show", {{"address", "board@lists.example"}}), "postern list list"));
  BOOST_TEST(has(d.refusal("list.show", {{"address", 1.5}}), "must be a text"));
  BOOST_TEST(
      has(d.refusal("list.create", {{"address", "board@unknown.example"}}), "postern domain add unknown.example"));
  BOOST_TEST(has(d.refusal("flow", {{"minutes", 0}}), "between 1 and"));
  BOOST_TEST(has(d.refusal("domain.add", {{"name", "bad_domain"}}), "is not a domain name"));
  BOOST_TEST(has(d.refusal("route.add", {{"domain", "*"}, {"host", "mx"}, {"tls", "perhaps"}}),
                 "opportunistic, required, verified"));
  BOOST_TEST(has(d.refusal("status", json::array()), "usage"));
}

BOOST_AUTO_TEST_CASE(a_route_names_one_host_or_several_in_their_order) {
  Desk d;
  for (const auto* host : {"mx.example", "192.0.2.1", "2001:db8::1", "[2001:db8::1]:2525", "a.example,b.example:2525",
                           "a.example:26,192.0.2.1,[2001:db8::1]"})
    BOOST_TEST(d.give("route.add", {{"domain", "x.example"}, {"host", host}}).at("host") == host);
  for (const auto* host : {",", "a.example,", ",a.example", "a.example,,b.example", "a.example:", "a.example:0",
                           "a.example:65536", "a.example:x", "a b", "a@b", ":25", "[]", "[]:25", "a.example:-1"})
    BOOST_TEST(has(d.refusal("route.add", {{"domain", "x.example"}, {"host", host}}), "invalid"), host);
}

BOOST_AUTO_TEST_CASE(a_list_shows_what_it_was_made_with_and_never_changes_its_secrecy) {
  Desk d;
  d.board();
  const auto list = d.give("list.show", {{"address", "Board@Lists.Example"}});
  BOOST_TEST(list.at("secure") == true);
  BOOST_TEST(list.at("class") == "high");
  BOOST_TEST(list.at("posting") == "members");
  BOOST_TEST(list.at("signingCertificate").at("fingerprint").get<std::string>().size() == 64u);
  BOOST_TEST(has(d.refusal("list.set", {{"address", "board@lists.example"}, {"secure", false}}), "never changes"));
  const auto set =
      d.give("list.set", {{"address", "board@lists.example"}, {"posting", "anyone"}, {"displayName", "Board"}});
  BOOST_TEST(set.at("posting") == "anyone");
  BOOST_TEST(set.at("name") == "Board");
  BOOST_TEST(has(d.refusal("list.set", {{"address", "board@lists.example"}, {"description", "a\r\nBcc: eve"}}),
                 "characters that cannot be used"));
  BOOST_TEST(d.give("list.close", {{"address", "board@lists.example"}}).at("state") == "closed");
  BOOST_TEST(has(d.refusal("domain.remove", {{"name", "lists.example"}}), "has 1 lists"));
  BOOST_TEST(has(d.refusal("list.create", {{"address", "board@lists.example"}}), "exists"));
  BOOST_TEST(has(d.refusal("list.create", {{"address", "board-owner@lists.example"}}), "cannot be the address"));
}

BOOST_AUTO_TEST_CASE(members_come_and_go_and_their_standing_follows_their_keys) {
  Desk d;
  d.board();
  const json ann{{"list", "board@lists.example"}, {"address", "Ann@Example.org"}, {"name", "Ann"}};
  BOOST_TEST(d.give("member.add", ann).at("reason") == "no-key");
  BOOST_TEST(has(d.refusal("member.add", ann), "exists"));
  const auto readiness = [&] { return d.give("list.readiness", {{"address", "board@lists.example"}}); };
  BOOST_TEST(readiness().at("withheld").front().at("reason") == "no-key");
  const auto pem = annPem();
  const auto key = d.give("key.import", {{"address", "ann@example.org"}, {"certificate", pem}});
  BOOST_TEST(key.at("reason") == "valid-certificate");
  BOOST_TEST(key.at("algorithm") == "EC P-256");
  BOOST_TEST(readiness().at("items").front().at("protection") == "smime");
  auto member = d.give("member.list", {{"list", "board@lists.example"}}).at("items").front();
  BOOST_TEST(member.at("key").at("fingerprint") == key.at("fingerprint"));
  const auto prefix = key.at("fingerprint").get<std::string>().substr(0, 12);
  BOOST_TEST(d.give("key.revoke", {{"fingerprint", prefix}}).at("state") == "revoked");
  BOOST_TEST(readiness().at("withheld").front().at("reason") == "revoked");
  BOOST_TEST(has(d.refusal("key.confirm", {{"fingerprint", prefix}}), "never used again"));
  BOOST_TEST(has(d.refusal("key.import", {{"address", "ann@example.org"}, {"certificate", pem}}), "refused:"));
  d.give("member.set", {{"list", "board@lists.example"}, {"address", "ann@example.org"}, {"state", "disabled"}});
  BOOST_TEST(readiness().at("total") == 0);
  d.give("member.remove", {{"list", "board@lists.example"}, {"address", "ann@example.org"}});
  BOOST_TEST(has(d.refusal("member.remove", {{"list", "board@lists.example"}, {"address", "ann@example.org"}}),
                 "is not a member"));
  BOOST_TEST(has(d.refusal("member.add", {{"list", "board@lists.example"}, {"address", "board@lists.example"}}),
                 "a list cannot be a member"));
}

BOOST_AUTO_TEST_CASE(a_revoked_certificate_comes_back_under_no_other_of_its_addresses) {
  Desk d;
  d.board();
  auto certificate = memberCertificate("ann@example.org", TestNow);
  certificate.addresses = {"ann@example.org", "ann.k@example.org"};
  const auto pem = certificate.parsed().pem();
  const auto key = d.give("key.import", {{"address", "ann@example.org"}, {"certificate", pem}});
  d.give("key.revoke", {{"fingerprint", key.at("fingerprint")}});
  BOOST_TEST(
      has(d.refusal("key.import", {{"address", "ann.k@example.org"}, {"certificate", pem}}), "never used again"));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_ends_turns_the_member_to_withheld) {
  Desk d;
  d.board();
  d.give("member.add", {{"list", "board@lists.example"}, {"address", "ann@example.org"}});
  d.give("key.import", {{"address", "ann@example.org"}, {"certificate", annPem()}});
  const auto refresh = [&] {
    d.context.site.write([&](SiteTables& tables) { refreshTurned(tables, d.clock.now()); });
    return d.give("list.readiness", {{"address", "board@lists.example"}});
  };
  BOOST_TEST(refresh().at("withheld").empty());
  d.clock.advance(std::chrono::days(299));
  BOOST_TEST(refresh().at("withheld").empty());
  BOOST_TEST(has(d.give("status").at("problems").dump(), "ends within 30 days"));
  d.clock.advance(std::chrono::days(2));
  BOOST_TEST(refresh().at("withheld").front().at("reason") == "certificate-expired");
}

BOOST_AUTO_TEST_CASE(a_certificate_that_cannot_be_used_is_refused_with_the_reason) {
  Desk d;
  const auto import = [&](const std::string& bytes, const std::string& address = "ann@example.org") {
    return d.refusal("key.import", {{"address", address}, {"certificate", bytes}});
  };
  BOOST_TEST(has(import("hello"), "invalid: this is not a certificate"));
  BOOST_TEST(has(import(annPem(), "bob@example.org"), "the certificate is not for bob@example.org; it is for ann@"));
  BOOST_TEST(has(import(pemOf(testKey("P-256"))), "invalid"));
  auto weak = memberCertificate("ann@example.org", TestNow, testKey("rsa1024"));
  BOOST_TEST(has(import(weak.parsed().pem()), "invalid: the certificate cannot be used"));
  BOOST_TEST(import(memberCertificate("ann@example.org", TestNow + std::chrono::days(60)).parsed().pem()).empty());
}

BOOST_AUTO_TEST_CASE(an_import_adds_what_can_be_added_and_tells_the_rest_by_line) {
  Desk d;
  d.board();
  const json args{{"list", "board@lists.example"},
                  {"csv",
                   "address,name\r\nann@example.org,\"Ann, the first\"\r\n\r\nnot an address,x\nbob@example.org\n"
                   "ANN@example.org,again\n\"broken\nboard@lists.example,list\n"}};
  auto dry = args;
  dry["dryRun"] = true;
  BOOST_TEST(d.give("member.import", dry).at("added") == 2);
  BOOST_TEST(d.give("member.list", {{"list", "board@lists.example"}}).at("total") == 0);
  const auto result = d.give("member.import", args);
  BOOST_TEST(result.at("added") == 2);
  BOOST_TEST(result.at("skipped") == 1);
  BOOST_REQUIRE_EQUAL(result.at("errors").size(), 2u);
  BOOST_TEST(result.at("errors")[0].at("line") == 4);
  BOOST_TEST(result.at("errors")[1].at("line") == 7);
  const auto csv = d.give("member.export", {{"list", "board@lists.example"}}).at("csv").get<std::string>();
  BOOST_TEST(has(csv, "ann@example.org,\"Ann, the first\",enabled,withheld,no-key\r\n"));
}

BOOST_AUTO_TEST_CASE(pages_of_members_and_filters) {
  Desk d;
  d.board();
  std::string csv;
  for (int i = 100; i < 125; ++i) csv += "m" + std::to_string(i) + "@example.org,Name " + std::to_string(i) + "\n";
  d.give("member.import", {{"list", "board@lists.example"}, {"csv", csv}});
  const auto page = [&](json args) {
    args["list"] = "board@lists.example";
    return d.give("member.list", args);
  };
  std::size_t rows = 0;
  std::string after;
  do {
    const auto part = page({{"limit", 10}, {"after", after}});
    rows += part.at("items").size();
    BOOST_TEST(part.at("total") == 25);
    after = part.at("next").get<std::string>();
  } while (!after.empty());
  BOOST_TEST(rows == 25u);
  BOOST_TEST(page({{"filter", "NAME 11"}}).at("total") == 10);
  BOOST_TEST(page({{"filter", "m110@"}}).at("total") == 1);
  BOOST_TEST(page({{"filter", "m11_@"}}).at("total") == 0);  // no pattern
  BOOST_TEST(page({{"filter", "%"}}).at("items").empty());
  BOOST_TEST(page({{"filter", "withheld"}}).at("total") == 25);
  BOOST_TEST(page({{"filter", "ready"}}).at("total") == 0);
  BOOST_TEST(page({{"filter", "%"}}).at("total") == 0);
}

BOOST_AUTO_TEST_CASE(every_changing_order_is_recorded_done_or_refused_and_reading_ones_are_not) {
  Desk d;
  d.give("domain.add", {{"name", "lists.example"}});
  d.refusal("domain.add", {{"name", "lists.example"}});
  d.give("status");
  const auto entries = d.entries();
  BOOST_REQUIRE_EQUAL(entries.size(), 2u);
  BOOST_TEST(entries[1] == "root domain.add lists.example ok ");
  BOOST_TEST(entries[0] == "root domain.add lists.example denied exists");
  for (const auto table : orderTables()) {
    for (const auto& row : table) {
      if (row.kind == OrderKind::Reads) continue;
      const auto before = d.entries().size();
      d.refusal(std::string(row.name), {{"address", "x"}});
      BOOST_TEST(d.entries().size() == before + 1, row.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_queue_without_a_gateway_is_unavailable_and_status_says_so) {
  Desk d;
  BOOST_TEST(has(d.refusal("queue.list"), "unavailable:"));
  BOOST_TEST(has(d.refusal("queue.retry", {{"id", 5}}), "unavailable:"));
  BOOST_TEST(has(d.refusal("queue.retry"), "usage:"));
  const auto status = d.give("status");
  BOOST_TEST(status.at("gateway").at("connected") == false);
  BOOST_TEST(has(status.at("problems").dump(), "The gateway is not connected"));
  BOOST_TEST(has(d.refusal("trace", {{"id", "<nothing@x>"}}), "postern post list"));
}

BOOST_AUTO_TEST_SUITE_END()
