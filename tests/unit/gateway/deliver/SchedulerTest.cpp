#include "gateway/deliver/Scheduler.h"

using namespace postern;
using namespace postern::gateway;
using namespace std::chrono_literals;

namespace {

const TimePoint Start = fromMicros(1'800'000'000'000'000);

CopySummary copyTo(const std::string& domain, std::uint64_t key) {
  CopySummary copy;
  copy.key = key;
  copy.destination = domain;
  copy.queuedAt = Start;
  copy.expiresAt = Start + 24h;
  return copy;
}

CopySummary copyOf(std::uint64_t post, const std::string& domain, std::uint64_t key) {
  auto copy = copyTo(domain, key);
  copy.post = post;
  return copy;
}

Scheduler makeScheduler(std::uint32_t connections = 100) {
  Scheduler::Options options;
  options.connectionsPerLane = 8;
  options.connections = connections;
  return Scheduler(options, [](const std::string& domain) { return domain; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_deliver_Scheduler)

BOOST_AUTO_TEST_CASE(a_copy_is_out_at_one_place_at_a_time) {
  auto scheduler = makeScheduler();
  scheduler.add(copyTo("a", 1), Start);
  scheduler.add(copyTo("a", 1), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler.next(*lane, Start)->key == 1u);
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
  scheduler.change(copyTo("a", 1), Start);
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
  scheduler.finish(1);
  scheduler.closeLane(*lane);
  BOOST_TEST(scheduler.size() == 0u);
  BOOST_TEST(scheduler.laneCount() == 0u);
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_out_is_not_withdrawn_and_one_that_was_withdrawn_never_goes_out) {
  auto scheduler = makeScheduler();
  scheduler.add(copyTo("a", 1), Start);
  scheduler.add(copyTo("a", 2), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_REQUIRE(lane.has_value());
  const auto first = scheduler.next(*lane, Start)->key;
  BOOST_TEST(!scheduler.withdraw(first));
  BOOST_TEST(scheduler.withdraw(3 - first));
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
  scheduler.defer(first, Start + 1min, Start);
  BOOST_TEST(scheduler.withdraw(first), "it rests between two attempts");
  scheduler.closeLane(*lane);
  BOOST_TEST(scheduler.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_lane_earns_its_connections_up_to_the_limit) {
  auto scheduler = makeScheduler();
  for (std::uint64_t key = 1; key <= 100; ++key) scheduler.add(copyTo("a", key), Start);
  int open = 0;
  std::optional<Scheduler::Lane> lane;
  while (auto more = scheduler.openLane(Start)) {
    lane = more;
    ++open;
  }
  BOOST_TEST(open == 2);
  for (int i = 0; i < 3; ++i) scheduler.laneReached(*lane);
  while (scheduler.openLane(Start)) ++open;
  BOOST_TEST(open == 8);
}

BOOST_AUTO_TEST_CASE(slow_destinations_leave_room_for_others) {
  auto scheduler = makeScheduler(40);
  for (std::uint64_t key = 0; key < 1000; ++key)
    scheduler.add(copyTo("slow" + std::to_string(key % 10), key + 1), Start);
  int open = 0;
  while (auto lane = scheduler.openLane(Start)) {
    ++open;
    scheduler.laneReached(*lane);
    scheduler.laneReached(*lane);
  }
  BOOST_TEST(open == 30);
  scheduler.add(copyTo("fast", 5000), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler.next(*lane, Start)->domain == "fast");
}

BOOST_AUTO_TEST_CASE(lanes_take_turns_and_notices_go_first) {
  auto scheduler = makeScheduler();
  for (std::uint64_t key = 1; key <= 50; ++key) scheduler.add(copyTo("bulk", key), Start);
  scheduler.add(copyTo("other", 100), Start);
  auto notice = copyTo("third", 200);
  notice.kind = app::Copy::Kind::Notice;
  scheduler.add(notice, Start);
  auto noticeInBulk = copyTo("bulk", 300);
  noticeInBulk.kind = app::Copy::Kind::Notice;
  scheduler.add(noticeInBulk, Start);
  std::vector<std::uint64_t> keys;
  for (int i = 0; i < 4; ++i) {
    const auto lane = scheduler.openLane(Start);
    BOOST_REQUIRE(lane.has_value());
    keys.push_back(scheduler.next(*lane, Start)->key);
  }
  BOOST_TEST(keys == (std::vector<std::uint64_t>{200, 300, 1, 100}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(backs_off_with_doubling_and_jitter_up_to_the_limit) {
  auto scheduler = makeScheduler();
  for (std::uint32_t attempts = 1; attempts < 12; ++attempts) {
    const auto exact = std::min<std::chrono::microseconds>(60s * (1 << (attempts - 1)), 1h);
    for (int i = 0; i < 20; ++i) {
      const auto delay = scheduler.retryAt(attempts, Start) - Start;
      BOOST_TEST((delay >= exact * 4 / 5));
      BOOST_TEST((delay <= exact * 6 / 5));
    }
  }
  BOOST_TEST((scheduler.retryAt(1, Start) != scheduler.retryAt(1, Start)));
}

BOOST_AUTO_TEST_CASE(a_deferred_copy_comes_back_when_it_is_due) {
  auto scheduler = makeScheduler();
  scheduler.add(copyTo("a", 1), Start);
  auto lane = scheduler.openLane(Start);
  scheduler.next(*lane, Start);
  scheduler.defer(1, Start + 60s, Start);
  scheduler.closeLane(*lane);
  BOOST_TEST(!scheduler.openLane(Start + 59s).has_value());
  BOOST_TEST((*scheduler.nextDue() == Start + 60s));
  lane = scheduler.openLane(Start + 60s);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler.next(*lane, Start + 60s)->attempts == 1u);
}

BOOST_AUTO_TEST_CASE(a_lane_that_cannot_be_reached_rests_as_a_whole_without_charging_its_copies) {
  auto scheduler = makeScheduler();
  for (std::uint64_t key = 1; key <= 3; ++key) scheduler.add(copyTo("down", key), Start);
  auto lane = scheduler.openLane(Start);
  scheduler.next(*lane, Start);
  const auto rest = scheduler.laneFailed(*lane, Start);
  scheduler.defer(1, Start + 1h, Start);
  scheduler.closeLane(*lane);
  BOOST_TEST((rest > Start));
  BOOST_TEST(!scheduler.openLane(rest - 1us).has_value());
  lane = scheduler.openLane(rest);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(!scheduler.openLane(rest).has_value());  // one connection to see
  const auto job = scheduler.next(*lane, rest);
  BOOST_TEST(job->key == 2u);
  BOOST_TEST(job->attempts == 0u);
  BOOST_TEST((scheduler.laneFailed(*lane, rest) - rest > (rest - Start)));
}

BOOST_AUTO_TEST_CASE(hold_release_retry_and_drop) {
  auto scheduler = makeScheduler();
  auto copy = copyTo("a", 1);
  copy.held = true;
  copy.expiresAt = Start + 1h;
  scheduler.add(copy, Start);
  BOOST_TEST(!scheduler.openLane(Start).has_value());
  BOOST_TEST(scheduler.takeExpired(Start + 2h).empty());  // held: does not expire
  copy.held = false;
  scheduler.change(copy, Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_TEST(scheduler.next(*lane, Start)->key == 1u);
  scheduler.defer(1, Start + 30min, Start);
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
  copy.notBefore = Start;  // retry now
  scheduler.change(copy, Start);
  BOOST_TEST(scheduler.next(*lane, Start)->key == 1u);
  copy.held = true;
  scheduler.change(copy, Start);  // held while it is out
  scheduler.defer(1, Start, Start);
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
  scheduler.remove(1);
  scheduler.remove(1);
  BOOST_TEST(scheduler.size() == 0u);
}

BOOST_AUTO_TEST_CASE(retry_wakes_a_resting_lane) {
  auto scheduler = makeScheduler();
  scheduler.add(copyTo("down", 1), Start);
  auto lane = scheduler.openLane(Start);
  scheduler.next(*lane, Start);
  scheduler.laneFailed(*lane, Start);
  scheduler.defer(1, Start + 1h, Start);
  scheduler.closeLane(*lane);
  scheduler.change(copyTo("down", 1), Start + 1s);
  BOOST_TEST(scheduler.openLane(Start + 1s).has_value());
}

BOOST_AUTO_TEST_CASE(expired_copies_come_out_once_and_are_never_tried) {
  auto scheduler = makeScheduler();
  auto copy = copyTo("a", 1);
  copy.expiresAt = Start + 10s;
  scheduler.add(copy, Start);
  scheduler.add(copyTo("a", 2), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_TEST(scheduler.next(*lane, Start + 10s)->key == 2u);
  const auto expired = scheduler.takeExpired(Start + 10s);
  BOOST_REQUIRE_EQUAL(expired.size(), 1u);
  BOOST_TEST(expired[0].key == 1u);
  BOOST_TEST(scheduler.takeExpired(Start + 10s).empty());
  // One that expires while it is out comes when it is back.
  BOOST_TEST(scheduler.takeExpired(Start + 48h).empty());
  scheduler.defer(2, Start + 49h, Start + 48h);
  BOOST_TEST(scheduler.takeExpired(Start + 48h).size() == 1u);
}

// The machine was off for days, or its clock was wrong when it started.
BOOST_AUTO_TEST_CASE(copies_whose_time_ran_out_before_the_start_are_still_tried) {
  auto scheduler = makeScheduler();
  const auto late = Start + 240h;
  scheduler.add(copyTo("a", 1), late);
  BOOST_TEST(scheduler.takeExpired(late).empty());
  const auto lane = scheduler.openLane(late);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler.next(*lane, late).has_value());
  scheduler.defer(1, late + 30min, late);
  BOOST_TEST(scheduler.takeExpired(late + 24h).size() == 1u);
}

BOOST_AUTO_TEST_CASE(copies_that_need_verified_tls_have_a_lane_of_their_own) {
  auto scheduler = makeScheduler();
  auto copy = copyTo("a", 1);
  copy.protection = app::Protection::Tls;
  scheduler.add(copy, Start);
  scheduler.add(copyTo("a", 2), Start);
  BOOST_TEST(scheduler.laneCount() == 2u);
  const auto lane = scheduler.openLane(Start);
  BOOST_TEST((scheduler.need(*lane) == TlsNeed::Protection));
  BOOST_TEST(scheduler.next(*lane, Start)->key == 1u);
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
}

BOOST_AUTO_TEST_CASE(a_new_route_moves_copies_also_those_that_are_out) {
  std::string route = "one";
  Scheduler scheduler({}, [&](const std::string&) { return route; });
  for (std::uint64_t key = 1; key <= 3; ++key) scheduler.add(copyTo("d" + std::to_string(key), key), Start);
  BOOST_TEST(scheduler.laneCount() == 1u);
  const auto lane = scheduler.openLane(Start);
  scheduler.next(*lane, Start);
  route = "two";
  scheduler.rerouted(Start);
  BOOST_TEST(!scheduler.next(*lane, Start).has_value());
  scheduler.putBack(1, Start, Start);
  scheduler.closeLane(*lane);
  BOOST_TEST(scheduler.laneCount() == 1u);
  const auto other = scheduler.openLane(Start);
  int count = 0;
  while (scheduler.next(*other, Start)) ++count;
  BOOST_TEST(count == 3);
}

BOOST_AUTO_TEST_CASE(a_single_message_overtakes_a_big_post_to_the_same_destination) {
  auto scheduler = makeScheduler();
  for (std::uint64_t key = 1; key <= 10'000; ++key) scheduler.add(copyOf(7, "slow", key), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_REQUIRE(lane.has_value());
  for (int i = 0; i < 100; ++i) BOOST_REQUIRE(scheduler.next(*lane, Start).has_value());
  scheduler.add(copyOf(8, "slow", 20'000), Start);
  int waited = 0;
  while (scheduler.next(*lane, Start)->key != 20'000) ++waited;
  BOOST_TEST(waited <= 1);
}

BOOST_AUTO_TEST_CASE(many_single_messages_do_not_starve_a_big_post) {
  auto scheduler = makeScheduler();
  for (std::uint64_t key = 1; key <= 1000; ++key) scheduler.add(copyOf(7, "a", key), Start);
  for (std::uint64_t key = 2001; key <= 3000; ++key) scheduler.add(copyOf(key, "a", key), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_REQUIRE(lane.has_value());
  int bulk = 0;
  for (int i = 0; i < 200; ++i) bulk += scheduler.next(*lane, Start)->key <= 1000 ? 1 : 0;
  BOOST_TEST(bulk >= 40);
  BOOST_TEST(bulk <= 60);
}

BOOST_AUTO_TEST_CASE(a_big_post_to_many_slow_destinations_leaves_connections_for_single_messages) {
  auto scheduler = makeScheduler(40);
  for (std::uint64_t key = 1; key <= 10'000; ++key) scheduler.add(copyOf(7, "d" + std::to_string(key), key), Start);
  std::size_t open = 0;
  while (scheduler.openLane(Start)) ++open;
  BOOST_TEST(open >= 35u);
  BOOST_TEST(open < 40u);
  BOOST_TEST(scheduler.shouldYield(), "bulk takes turns with bulk");
  scheduler.add(copyOf(8, "other", 20'000), Start);
  const auto lane = scheduler.openLane(Start);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler.next(*lane, Start)->key == 20'000u);
}

BOOST_AUTO_TEST_CASE(a_server_that_asks_for_less_gets_half_and_earns_more_one_by_one) {
  auto scheduler = makeScheduler();
  for (std::uint64_t key = 1; key <= 100; ++key) scheduler.add(copyTo("a", key), Start);
  std::vector<Scheduler::Lane> open;
  const auto openAll = [&] {
    while (const auto lane = scheduler.openLane(Start)) open.push_back(*lane);
    return open.size();
  };
  openAll();
  for (int i = 0; i < 3; ++i) scheduler.laneReached(open.front());
  BOOST_TEST(openAll() == 8u);
  const auto lane = open.front();
  scheduler.laneSlowed(lane);
  BOOST_TEST(!scheduler.next(lane, Start).has_value(), "four connections too many");
  for (int i = 0; i < 4; ++i, open.pop_back()) scheduler.closeLane(lane);
  BOOST_TEST(scheduler.next(lane, Start).has_value());
  BOOST_TEST(openAll() == 4u);
  scheduler.laneReached(lane);
  BOOST_TEST(openAll() == 5u);
  for (int i = 0; i < 10; ++i) scheduler.laneSlowed(lane);
  for (int i = 0; i < 4; ++i, open.pop_back()) scheduler.closeLane(lane);
  BOOST_TEST(openAll() == 1u);
  BOOST_TEST(scheduler.next(lane, Start).has_value(), "one is always left");
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_copies_are_fine) {
  auto scheduler = makeScheduler();
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t key = 1; key <= 100'000; ++key)
    scheduler.add(copyTo("d" + std::to_string(key % 1000), key), Start);
  std::size_t taken = 0;
  while (auto lane = scheduler.openLane(Start)) {
    while (auto job = scheduler.next(*lane, Start)) {
      ++taken;
      scheduler.finish(job->key);
    }
    scheduler.closeLane(*lane);
  }
  BOOST_TEST(taken == 100'000u);
  BOOST_TEST(scheduler.laneCount() == 0u);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 10s));
}

BOOST_AUTO_TEST_SUITE_END()
