#include "tests/unit/gateway/queue/QueueFixture.h"

#include <map>

using namespace postern;
using namespace postern::gateway;

BOOST_FIXTURE_TEST_SUITE(gateway_queue_QueuePost, gateway::test::QueueFixture)

BOOST_AUTO_TEST_CASE(copies_of_one_message_share_a_number_also_after_a_restart) {
  std::vector<app::Copy> copies;
  for (std::uint64_t number = 1; number <= 5; ++number) copies.push_back(copy(number));
  copies[0].trace = copies[1].trace = "0af7651916cd43dd8448eb211c80319c";
  copies[2].trace = copies[3].trace = "0af7651916cd43dd8448eb211c80319d";
  queue->submitCopies(copies);
  const auto check = [&] {
    std::map<std::uint64_t, std::uint64_t> posts;
    queue->forEachWaiting([&](const CopySummary& summary) { posts[summary.key] = summary.post; });
    BOOST_REQUIRE(posts.size() == 5u);
    BOOST_TEST(posts[1] != 0u);
    BOOST_TEST(posts[1] == posts[2]);
    BOOST_TEST(posts[3] == posts[4]);
    BOOST_TEST(posts[1] != posts[3]);
    BOOST_TEST(posts[5] == 0u);
    return posts[1];
  };
  const auto before = check();
  open(false);
  BOOST_TEST(check() == before);
}

BOOST_AUTO_TEST_SUITE_END()
