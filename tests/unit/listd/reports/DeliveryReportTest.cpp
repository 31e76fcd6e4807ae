#include "core/crypto/Encoding.h"
#include "core/hops/JourneyJson.h"
#include "listd/orders/Csv.h"
#include "listd/reports/DeliveryReport.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

#include <chrono>
#include <iostream>
#include <set>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const app::Actor Oli = person("oli", app::Role::Owner);

constexpr const char* Way =
    "Received: from author.example (author.example [192.0.2.1]) by mx.example.org (Postfix) with ESMTP id 1;\r\n"
    "  Mon, 2 Mar 2026 10:00:00 +0000\r\n\r\n";

struct Deliveries : RecordsDesk {
  List board = makeList(context, "board@lists.example", true);
  List social = makeList(context, "social@lists.example", false);

  std::uint64_t post(const List& list) {
    Post post;
    post.acceptedId = ++number;
    post.queueId = "Q" + std::to_string(number);
    post.messageId = "<m" + std::to_string(number) + "@example.org>";
    post.mailFrom = "=cmd@example.org";
    post.listId = list.id;
    post.verdict = "accepted";
    post.receivedAt = post.plannedAt = clock.now();
    post.client =
        R"({"address":"192.0.2.9","name":"mx.example.org","tls":{"version":"TLSv1.3","cipher":"C1","bits":256,"verification":"","peerName":""}})";
    post.senderCheck =
        R"({"encryption":"smime","signature":"smime","standing":"good","signer":"ann@example.org","fingerprint":"ab"})";
    post.journey = hops::compactJson(hops::readJourney(*mail::HeaderBlock::scan(Way)));
    return context.site.write([&](SiteTables& tables) { return tables.posts.add(post); });
  }

  void copies(std::uint64_t postId, const std::vector<std::string>& recipients, const std::string& protection = "smime",
              bool delivered = true) {
    context.site.write([&](SiteTables& tables) {
      for (const auto& recipient : recipients) {
        LedgerRow row;
        row.id = ++copyNumber;
        row.postId = postId;
        row.recipient = recipient;
        row.protection = protection;
        row.reason = protection == "withheld" ? "no-key" : "valid-certificate";
        row.keyFingerprint = protection == "smime" ? "f00d" : "";
        row.state = protection == "withheld" ? CopyState::Withheld : CopyState::Planned;
        tables.ledger.add(row);
        if (!delivered || protection == "withheld") continue;
        tables.ledger.setState(row.id, CopyState::Delivered, 1, clock.now());
        Attempt attempt{1, "delivered", clock.now(), "mx.next.example", "198.51.100.7", 250, "2.0.0 <b>taken</b>", {}};
        attempt.tls = {"TLSv1.2", "C2", 128, "dane", "mx.next.example"};
        tables.ledger.addAttempt(row.id, attempt);
      }
      return 0;
    });
  }

  json report(json args, const app::Actor& actor = Udo) { return give(actor, "report.delivery", args); }

  // As the owner of the list alone.
  json ofOwner(const std::string& list, const json& args) {
    Person owner;
    owner.account = "oli";
    owner.roles = app::Role::Owner;
    owner.lists = {list};
    owner.onlyAsOwner = true;
    return deliveryReport(tools, {"report.delivery", Oli, Args(args), {}, owner});
  }

  // The code with which the owner is refused.
  std::string refusalOfOwner(const std::string& list, const json& args) {
    try {
      ofOwner(list, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code;
    }
    return {};
  }

  // All pages of a report.
  std::vector<json> pages(json args) {
    std::vector<json> all;
    do {
      all.push_back(report(args));
      args["after"] = all.back().at("next");
    } while (!all.back().at("next").get<std::string>().empty());
    return all;
  }

  std::uint64_t number = 0;
  std::uint64_t copyNumber = 0;
};

std::string cell(const json& report, std::size_t row, const std::string& column) {
  const auto& columns = report.at("columns");
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i] == column) {
      const auto& value = report.at("rows").at(row).at(i);
      return value.is_string() ? value.get<std::string>() : value.dump();
    }
  return "there is no column " + column;
}

std::size_t countOf(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_reports_DeliveryReport)

BOOST_AUTO_TEST_CASE(a_row_has_all_three_legs) {
  Deliveries r;
  const auto post = r.post(r.board);
  r.copies(post, {"ann@example.org"});
  r.copies(post, {"cid@example.org"}, "withheld");
  const auto report = r.report({{"post", std::to_string(post)}});
  BOOST_REQUIRE_EQUAL(report.at("rows").size(), 2u);
  BOOST_REQUIRE_EQUAL(report.at("rows")[0].size(), report.at("columns").size());
  BOOST_REQUIRE_EQUAL(report.at("rows")[1].size(), report.at("columns").size());
  for (const auto& [column, value] : {std::pair{"handed over by", "mx.example.org [192.0.2.9]"},
                                      {"arrival TLS", "TLSv1.3"},
                                      {"arrival cipher", "C1"},
                                      {"way to us", "plain"},
                                      {"encrypted to the list", "smime"},
                                      {"signature", "good"},
                                      {"signer", "ann@example.org"},
                                      {"recipient", "ann@example.org"},
                                      {"protection", "smime"},
                                      {"reason", "valid-certificate"},
                                      {"key", "f00d"},
                                      {"state", "delivered"},
                                      {"next hop", "mx.next.example"},
                                      {"next hop address", "198.51.100.7"},
                                      {"TLS", "TLSv1.2"},
                                      {"cipher", "C2"},
                                      {"TLS verification", "dane"},
                                      {"reply code", "250"},
                                      {"attempts", "1"},
                                      {"pick-up", ""}})
    BOOST_TEST(cell(report, 0, column) == value, column);
  BOOST_TEST(cell(report, 0, "delivered") == formatRfc3339(r.clock.now()));
  BOOST_TEST(cell(report, 1, "protection") == "withheld");
  BOOST_TEST(cell(report, 1, "reason") == "no-key");
  BOOST_TEST(cell(report, 1, "next hop") == "");
  const auto& journey = report.at("posts")[0].at("arrival").at("journey");
  BOOST_TEST(journey.at("hops")[0].at("state") == "recorded-plain");
  BOOST_TEST(journey.at("hops")[0].at("cipher") == "");
}

BOOST_AUTO_TEST_CASE(pages_of_every_size_have_every_copy_once_and_in_order) {
  Deliveries r;
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    const auto post = r.post(i == 3 ? r.social : r.board);
    if (i == 2) continue;  // a post that nobody gets
    for (int j = 0; j < 7; ++j) {
      const auto address = "p" + std::to_string(i * 10 + j) + "@example.org";
      r.copies(post, {address});
      if (i != 3) expected.push_back(address);
    }
    r.clock.advance(std::chrono::seconds(i % 2));  // also posts of one moment
  }
  for (const int limit : {1, 2, 3, 7, 8, 100}) {
    std::vector<std::string> seen;
    std::set<std::uint64_t> posts;
    for (const auto& page : r.pages({{"list", "board@lists.example"}, {"limit", limit}})) {
      for (std::size_t i = 0; i < page.at("rows").size(); ++i) seen.push_back(cell(page, i, "recipient"));
      for (const auto& post : page.at("posts")) posts.insert(post.at("post").get<std::uint64_t>());
    }
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
    BOOST_TEST(posts.size() == 4u, "the post without recipients is told of, too");
  }
}

BOOST_AUTO_TEST_CASE(a_report_of_one_recipient_has_that_recipient_in_the_span_alone) {
  Deliveries r;
  const auto juergen = mail::Address::parse("jürgen@exämple.org").value().key();
  const auto first = r.clock.now();
  for (int i = 0; i < 3; ++i) {
    r.copies(r.post(r.board), {"ann@example.org", juergen, "other@example.org"});
    r.clock.advance(std::chrono::hours(24));
  }
  const auto second = formatRfc3339(first + std::chrono::hours(24)).substr(0, 10);
  const auto report = r.report({{"recipient", "jürgen@exämple.org"}, {"from", second}, {"until", second}});
  BOOST_REQUIRE_EQUAL(report.at("rows").size(), 1u);
  BOOST_TEST(cell(report, 0, "recipient") == juergen);
  const auto ann = r.report({{"recipient", "Ann@Example.org"}, {"from", second}, {"until", second}});
  BOOST_REQUIRE_EQUAL(ann.at("rows").size(), 1u);
  BOOST_TEST(cell(ann, 0, "recipient") == "ann@example.org");
  BOOST_TEST(cell(ann, 0, "received").substr(0, 10) == second);
  BOOST_TEST(r.report({{"recipient", "nobody@example.org"}}).at("posts").empty());
}

BOOST_AUTO_TEST_CASE(an_owner_gets_own_lists_only) {
  Deliveries r;
  const auto own = r.post(r.board), other = r.post(r.social);
  r.copies(own, {"ann@example.org"});
  r.copies(other, {"ann@example.org"});
  const std::string board = "board@lists.example";
  const auto report = r.ofOwner(board, {{"recipient", "ann@example.org"}});
  BOOST_REQUIRE_EQUAL(report.at("rows").size(), 1u);
  BOOST_TEST(cell(report, 0, "list") == "board@lists.example");
  BOOST_TEST(r.refusalOfOwner(board, {{"post", std::to_string(other)}}) == "denied");
  BOOST_TEST(r.refusalOfOwner(board, {{"list", "social@lists.example"}}) == "denied");
  BOOST_TEST(r.refusalOfOwner(board, json::object()) == "usage");
  for (const auto* after : {"1-2", "1-2-3x", "-1-2-3", "x"})
    BOOST_TEST(r.refusalOfOwner(board, {{"list", board}, {"after", after}}) == "invalid", after);
}

BOOST_AUTO_TEST_CASE(the_csv_is_one_file_whose_cells_no_spreadsheet_runs) {
  Deliveries r;
  const auto post = r.post(r.board);
  for (int i = 0; i < 5; ++i) r.copies(post, {"p" + std::to_string(i) + "@example.org"});
  std::string csv;
  for (const auto& page : r.pages({{"list", "board@lists.example"}, {"limit", 2}, {"format", "csv"}}))
    csv += page.at("csv").get<std::string>();
  const auto records = readCsv(csv);
  BOOST_REQUIRE_EQUAL(records.size(), 6u);
  for (const auto& record : records) BOOST_TEST(record.fields.size() == records[0].fields.size());
  BOOST_TEST(csv.find(",'=cmd@example.org,") != std::string::npos);
  BOOST_TEST(csv.find("\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_pages_to_print_are_one_document_that_asks_for_nothing_from_elsewhere) {
  Deliveries r;
  const auto post = r.post(r.board);
  for (int i = 0; i < 5; ++i) r.copies(post, {"p" + std::to_string(i) + "@example.org"});
  std::string html;
  for (const auto& page : r.pages({{"list", "board@lists.example"}, {"limit", 2}, {"format", "html"}}))
    html += page.at("html").get<std::string>();
  for (const auto* once : {"<!doctype html>", "<body>", "</body>", "</html>", "<h1>"})
    BOOST_TEST(countOf(html, once) == 1u);
  BOOST_TEST(countOf(html, "<table") == countOf(html, "</table>"));
  BOOST_TEST(countOf(html, "<section>") == countOf(html, "</section>"));
  for (int i = 0; i < 5; ++i) BOOST_TEST(countOf(html, "p" + std::to_string(i) + "@example.org</th>") == 1u);
  for (const auto* never : {"<b>taken", "src=", "href=", "url(", "http://", "https://", "<script"})
    BOOST_TEST(countOf(html, never) == 0u, never);
  BOOST_TEST(countOf(html, "&lt;b&gt;taken") == 5u);
  BOOST_TEST(countOf(html, "verified by DANE") == 5u);
}

BOOST_AUTO_TEST_CASE(every_page_is_signed_with_all_that_it_tells) {
  Deliveries r;
  r.copies(r.post(r.board), {"ann@example.org", "bob@example.org"});
  for (auto page : r.pages({{"list", "board@lists.example"}, {"limit", 1}})) {
    const auto signature = crypto::fromBase64(page.at("signature").get<std::string>()).value();
    BOOST_TEST((signForReport(r.context, canonicalJson(page)) == signature));
    page["posts"][0]["arrival"]["client"]["tls"]["version"] = "TLSv1.9";
    BOOST_TEST((signForReport(r.context, canonicalJson(page)) != signature));
  }
}

BOOST_AUTO_TEST_CASE(ten_thousand_recipients_come_in_bounded_time) {
  Deliveries r;
  const auto post = r.post(r.board);
  std::vector<std::string> people;
  for (int i = 0; i < 10000; ++i) people.push_back("p" + std::to_string(i) + "@example.org");
  r.copies(post, people);
  for (const auto* format : {"json", "csv", "html"}) {
    const auto start = std::chrono::steady_clock::now();
    std::size_t bytes = 0, most = 0, rows = 0, pages = 0;
    for (const auto& page : r.pages({{"post", std::to_string(post)}, {"format", format}})) {
      const auto size = page.dump().size();
      bytes += size;
      most = std::max(most, size);
      ++pages;
      if (page.contains("rows")) rows += page.at("rows").size();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::cout << "delivery report of 10,000 recipients as " << format << ": " << took.count() << " s, " << bytes
              << " bytes, largest page " << most << " bytes\n";
    if (std::string(format) == "json") BOOST_TEST(rows == 10000u);
    BOOST_TEST(pages <= 11u);
    BOOST_TEST(most < 2'000'000u);
    BOOST_TEST(took.count() < 60.0);  // some seconds under a sanitizer on a busy machine
  }
}

BOOST_AUTO_TEST_SUITE_END()
