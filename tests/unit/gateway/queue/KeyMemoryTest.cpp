#include "gateway/queue/KeyMemory.h"

#include <random>

using postern::gateway::KeyMemory;

BOOST_AUTO_TEST_SUITE(gateway_queue_KeyMemory)

BOOST_AUTO_TEST_CASE(holds_exactly_the_keys_that_were_added_as_few_ranges) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    KeyMemory memory;
    std::set<std::uint64_t> keys;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t key = 1 + random() % 80;
      memory.add(key, random() % 10);
      keys.insert(key);
    }
    for (std::uint64_t key = 0; key < 90; ++key) BOOST_TEST_REQUIRE(memory.contains(key) == keys.contains(key));
    for (auto it = memory.ranges().begin(); std::next(it) != memory.ranges().end(); ++it)
      BOOST_TEST_REQUIRE(it->second.last + 1 < std::next(it)->first);
  }
}

BOOST_AUTO_TEST_CASE(keys_in_a_row_are_one_range_and_forgetting_waits_for_the_latest) {
  KeyMemory memory;
  for (std::uint64_t key = 1; key <= 1000; ++key) memory.add(key, key < 500 ? 3 : 5);
  memory.add(5000, 3);
  BOOST_TEST(memory.ranges().size() == 2);
  memory.forgetBefore(4);
  BOOST_TEST(memory.contains(1));
  BOOST_TEST(!memory.contains(5000));
  memory.forgetBefore(6);
  BOOST_TEST(memory.ranges().empty());
}

BOOST_AUTO_TEST_SUITE_END()
