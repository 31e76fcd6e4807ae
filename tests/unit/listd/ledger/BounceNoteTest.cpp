#include "listd/ledger/BounceNote.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_ledger_BounceNote)

BOOST_AUTO_TEST_CASE(the_tag_of_a_copy_delivered_long_ago_counts_no_more) {
  TempFolder folder;
  SystemClock clock;
  SiteContext context(siteConfig(folder.path()), clock);
  const auto social = makeList(context, "social@lists.example", false);
  addMember(context, social, "ann@example.org");
  const auto now = clock.now();
  context.site.write([&](SiteTables& tables) {
    Post post;
    post.acceptedId = 1;
    post.queueId = "0af7651916cd43dd8448eb211c80319c";
    post.outMessageId = "<1@lists.example>";
    post.mailFrom = "ann@example.org";
    post.listId = social.id;
    post.client = "{}";
    post.sensitivity = "low";
    post.verdict = "accepted";
    const auto postId = tables.posts.add(post);
    std::vector<std::uint64_t> keys;
    for (const auto* recipient : {"ann@example.org", "bob@example.org"}) {
      LedgerRow row;
      row.id = tables.counters.take(CounterStore::Copy);
      row.postId = postId;
      row.recipient = recipient;
      row.protection = "none";
      tables.ledger.add(row);
      tables.ledger.setState(row.id, CopyState::Delivered, 1, now);
      keys.push_back(row.id);
    }
    Bounce bounce;
    bounce.kind = Bounce::Kind::Failure;
    bounce.status = "5.1.1";
    recordBounce(tables, social.id, keys[0], bounce, now + std::chrono::hours(29 * 24));
    BOOST_TEST((tables.ledger.find(keys[0])->state == CopyState::Failed));
    recordBounce(tables, social.id, keys[1], bounce, now + std::chrono::hours(31 * 24));
    BOOST_TEST((tables.ledger.find(keys[1])->state == CopyState::Delivered));
    BOOST_TEST(tables.ledger.attemptsOf(keys[1]).empty());
    recordBounce(tables, social.id + 1, keys[1], bounce, now);
    BOOST_TEST((tables.ledger.find(keys[1])->state == CopyState::Delivered), "a tag of another list");
  });
}

BOOST_AUTO_TEST_SUITE_END()
