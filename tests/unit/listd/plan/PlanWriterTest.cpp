#include "listd/plan/PlanWriter.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

struct Fixture {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};
  List board = makeList(context, "board@lists.example", true);

  std::optional<std::uint64_t> plan(std::uint64_t acceptedId, const PostingRuling& ruling,
                                    const std::string& mailFrom = "ann@example.org") {
    Post post;
    post.acceptedId = acceptedId;
    post.queueId = "Q" + std::to_string(acceptedId);
    post.mailFrom = mailFrom;
    post.client = "{}";
    post.sensitivity = "high";
    return context.site.write([&](SiteTables& tables) { return writePlan(tables, post, board, ruling, clock.now()); });
  }
  std::vector<LedgerRow> rows(std::uint64_t post) {
    return context.site.read([&](SiteTables& tables) { return tables.ledger.page(post, 0, 1000); });
  }
};

const PostingRuling Accept{PostingRuling::Verdict::Accept, "", std::nullopt, false};
const PostingRuling Reject{PostingRuling::Verdict::Reject, "not-a-member", RejectReason::NotAMember, false};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_plan_PlanWriter)

BOOST_AUTO_TEST_CASE(a_message_is_counted_as_accepted_once_whatever_its_lists_and_how_often_it_is_taken) {
  Fixture f;
  const auto accepted = [&] {
    return f.context.site.read([](SiteTables& tables) { return tables.flow.sum(TimePoint()).accepted; });
  };
  f.plan(1, Accept);
  f.plan(1, Accept);
  BOOST_TEST(accepted() == 1u);
  f.board = makeList(f.context, "research@lists.example", true);
  f.plan(1, Reject);
  BOOST_TEST(accepted() == 1u);
  f.plan(2, Reject);
  BOOST_TEST(accepted() == 2u);
}

BOOST_AUTO_TEST_CASE(the_plan_names_every_enabled_member_with_protection_and_reason) {
  Fixture f;
  const auto key = addKey(f.context, memberCertificate("ann@example.org", TestNow));
  for (const auto* address : {"ann@example.org", "bob@example.org", "off@example.org"})
    addMember(f.context, f.board, address);
  f.context.site.write([&](SiteTables& tables) {
    auto off = *tables.members.find(f.board.id, "off@example.org");
    off.enabled = false;
    tables.members.update(off, decide(onlySmime(), {}, TestNow));
  });
  const auto rows = f.rows(f.plan(1, Accept).value());
  BOOST_REQUIRE_EQUAL(rows.size(), 3u);
  BOOST_TEST(rows[0].recipient == "ann@example.org");
  BOOST_TEST(rows[0].protection == "smime");
  BOOST_TEST(rows[0].reason == "valid-certificate");
  BOOST_TEST(rows[0].keyFingerprint == key.facts.fingerprint);
  BOOST_TEST((rows[0].state == CopyState::Planned));
  BOOST_TEST(rows[1].recipient == "bob@example.org");
  BOOST_TEST(rows[1].reason == "no-key");
  BOOST_TEST((rows[1].state == CopyState::Withheld));
  BOOST_TEST((rows[2].kind == app::Copy::Kind::Notice));
  BOOST_TEST(rows[2].recipient == "bob@example.org");
}

BOOST_AUTO_TEST_CASE(the_same_message_is_planned_once_for_a_list) {
  Fixture f;
  addMember(f.context, f.board, "ann@example.org");
  const auto first = f.plan(1, Accept);
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(!f.plan(1, Accept).has_value());
  BOOST_TEST(f.rows(*first).size() == 2u);
  BOOST_TEST(f.plan(2, Accept).has_value());
}

BOOST_AUTO_TEST_CASE(copy_keys_of_two_posts_never_meet) {
  Fixture f;
  for (const auto* address : {"ann@example.org", "bob@example.org"}) addMember(f.context, f.board, address);
  std::set<std::uint64_t> keys;
  std::size_t rows = 0;
  for (std::uint64_t id = 1; id <= 3; ++id)
    for (const auto& row : f.rows(f.plan(id, Accept).value())) {
      keys.insert(row.id);
      ++rows;
    }
  BOOST_TEST(keys.size() == rows);
}

BOOST_AUTO_TEST_CASE(a_rejection_makes_a_report_only_to_a_sender_and_once_a_day) {
  Fixture f;
  BOOST_TEST(f.rows(f.plan(1, Reject).value()).size() == 1u);
  BOOST_TEST(f.rows(f.plan(2, Reject).value()).empty());
  BOOST_TEST(f.rows(f.plan(3, Reject, "").value()).empty());
  f.clock.advance(std::chrono::hours(24));
  BOOST_TEST(f.rows(f.plan(4, Reject).value()).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
