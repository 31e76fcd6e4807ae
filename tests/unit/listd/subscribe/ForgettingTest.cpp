// Pain 8 of the list servers: what is left of somebody who wanted to be forgotten.
#include "listd/subscribe/MemberSourceStore.h"
#include "listd/subscribe/Subscriptions.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_subscribe_Forgetting)

BOOST_AUTO_TEST_CASE(an_erasure_leaves_no_request_and_no_note_of_having_left) {
  RecordsDesk h;
  const auto list = makeList(h.context, "board@lists.example", false);
  h.context.site.write([&](SiteTables& tables) {
    askSubscription(h.context, tables, list, {"join", "ann@example.org"});
    auto sources = tables.subscriptions.sources();
    for (const auto* address : {"ann@example.org", "bob@example.org"}) {
      sources.noteBrought(list.id, address);
      sources.noteDeparture(list.id, address, h.clock.now());
    }
    BOOST_TEST(tables.subscriptions.open(list.id, "join", "ann@example.org").has_value());
  });
  h.give(Olga, "erasure.answer", {{"address", "ann@example.org"}, {"reason", "asked"}});
  h.context.site.read([&](SiteTables& tables) {
    BOOST_TEST(!tables.subscriptions.open(list.id, "join", "ann@example.org").has_value());
    const auto left = tables.subscriptions.sources().departedFrom(list.id);
    BOOST_TEST((left == std::vector<std::string>{"bob@example.org"}));
  });
}

BOOST_AUTO_TEST_SUITE_END()
