#include "gateway/deliver/NextHop.h"
#include "gateway/deliver/Scheduler.h"

using namespace postern;
using namespace postern::gateway;
using namespace std::chrono_literals;

namespace {

const TimePoint Start = fromMicros(1'800'000'000'000'000);

struct Shaped {
  std::map<std::string, Scheduler::Shape> shapes;
  std::uint64_t lastKey = 0;
  Scheduler::Options options;
  std::optional<Scheduler> made;

  Scheduler& scheduler() {
    if (!made)
      made.emplace(
          options, [](const std::string& domain) { return domain; },
          [this](const std::string& domain) { return shapes[domain]; });
    return *made;
  }

  CopySummary copyTo(const std::string& domain) {
    CopySummary copy;
    copy.key = ++lastKey;
    copy.destination = domain;
    copy.queuedAt = Start;
    copy.expiresAt = Start + 24h;
    return copy;
  }
  CopySummary tlsCopyTo(const std::string& domain) {
    auto copy = copyTo(domain);
    copy.protection = copy.floor = app::Protection::Tls;
    return copy;
  }

  std::vector<Scheduler::Lane> openAll(TimePoint now = Start) {
    std::vector<Scheduler::Lane> open;
    while (const auto lane = scheduler().openLane(now)) {
      open.push_back(*lane);
      scheduler().laneReached(*lane);
    }
    return open;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_SchedulerShape, Shaped)

BOOST_AUTO_TEST_CASE(connections_are_bounded_for_all_lanes_of_a_destination_together) {
  shapes["a"].connections = 3;
  for (int i = 0; i < 50; ++i) {
    scheduler().add(copyTo("a"), Start);
    scheduler().add(tlsCopyTo("a"), Start);
  }
  BOOST_TEST(openAll().size() == 3u);
  scheduler().add(copyTo("b"), Start);
  BOOST_TEST(!openAll().empty(), "others are not bounded by it");
}

BOOST_AUTO_TEST_CASE(more_connections_than_usual_may_be_set) {
  shapes["a"].connections = 20;
  for (int i = 0; i < 100; ++i) scheduler().add(copyTo("a"), Start);
  BOOST_TEST(openAll().size() == 20u);
}

BOOST_AUTO_TEST_CASE(a_lane_of_the_same_destination_does_not_starve) {
  shapes["a"].connections = 1;
  for (int i = 0; i < 100; ++i) scheduler().add(copyTo("a"), Start);
  const auto first = openAll().at(0);
  const auto other = tlsCopyTo("a");
  scheduler().add(other, Start);
  int sent = 0;
  for (; const auto job = scheduler().next(first, Start); ++sent) scheduler().finish(job->key);
  BOOST_TEST(sent < 20);
  scheduler().closeLane(first);
  bool reached = false;
  for (int i = 0; i < 5 && !reached; ++i) {
    const auto lane = openAll().at(0);
    const auto job = scheduler().next(lane, Start);
    reached = job && job->key == other.key;
    if (job) scheduler().finish(job->key);
    scheduler().closeLane(lane);
  }
  BOOST_TEST(reached);
}

BOOST_AUTO_TEST_CASE(no_minute_sees_more_messages_than_were_set) {
  shapes["a"].perMinute = 30;
  for (int i = 0; i < 200; ++i) scheduler().add(i % 2 ? copyTo("a") : tlsCopyTo("a"), Start);
  std::vector<TimePoint> taken;
  for (auto now = Start; now < Start + 3min; now += 100ms)
    while (const auto lane = scheduler().openLane(now)) {
      while (const auto job = scheduler().next(*lane, now)) {
        taken.push_back(now);
        scheduler().finish(job->key);
      }
      scheduler().closeLane(*lane);
    }
  BOOST_TEST(taken.size() >= 88u);
  BOOST_TEST(taken.size() <= 91u);
  for (std::size_t i = 30; i < taken.size(); ++i) BOOST_TEST((taken[i] - taken[i - 30] >= 59s));
}

BOOST_AUTO_TEST_CASE(the_rate_holds_for_a_destination_that_was_empty_in_between) {
  shapes["a"].perMinute = 1;
  for (int i = 0; i < 2; ++i) {
    scheduler().add(copyTo("a"), Start);
    const auto lane = scheduler().openLane(Start);
    BOOST_REQUIRE(lane.has_value() == (i == 0));
    if (!lane) break;
    scheduler().finish(scheduler().next(*lane, Start)->key);
    scheduler().closeLane(*lane);
    BOOST_TEST(scheduler().laneCount() == 0u);
  }
  BOOST_TEST((scheduler().nextDue() == Start + 60s));
  BOOST_TEST(scheduler().openLane(Start + 60s).has_value());
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_holds_nothing_up_for_longer_than_a_message) {
  shapes["a"].perMinute = 60;
  for (int i = 0; i < 3; ++i) scheduler().add(copyTo("a"), Start);
  const auto lane = scheduler().openLane(Start);
  scheduler().next(*lane, Start);
  BOOST_TEST(!scheduler().next(*lane, Start - 1h).has_value());
  BOOST_TEST(scheduler().next(*lane, Start - 1h + 1s).has_value());
}

BOOST_AUTO_TEST_CASE(tries_come_at_the_times_that_were_set_and_the_last_again_and_again) {
  shapes["a"].retry = {5min, 15min, 1h};
  const std::vector<std::chrono::microseconds> expected{5min, 15min, 1h, 1h, 1h};
  for (std::uint32_t attempts = 1; attempts <= expected.size(); ++attempts) {
    const auto delay = scheduler().retryAt(attempts, Start, "a") - Start;
    BOOST_TEST((delay >= expected[attempts - 1] * 4 / 5 && delay <= expected[attempts - 1] * 6 / 5));
  }
  BOOST_TEST((scheduler().retryAt(1, Start, "b") - Start <= 72s));
  scheduler().add(copyTo("a"), Start);
  const auto lane = scheduler().openLane(Start);
  const auto rest = scheduler().laneFailed(*lane, Start) - Start;
  BOOST_TEST((rest >= 4min && rest <= 6min), "a dead host is left alone as long");
}

BOOST_AUTO_TEST_CASE(a_copy_that_waits_longer_than_the_usual_longest_pause_is_not_tried_early_after_a_restart) {
  shapes["a"].retry = {12h};
  auto copy = copyTo("a");
  copy.notBefore = Start + 12h;
  scheduler().add(copy, Start);
  auto held = copyTo("a");
  held.held = true;
  scheduler().add(held, Start);
  BOOST_TEST(!scheduler().openLane(Start + 11h).has_value());
  const auto lane = scheduler().openLane(Start + 12h);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler().next(*lane, Start + 12h)->key == copy.key);
  BOOST_TEST(!scheduler().next(*lane, Start + 12h).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_paused_is_neither_tried_nor_expired_and_goes_on_after) {
  shapes["a"].paused = true;
  scheduler().add(copyTo("a"), Start);
  BOOST_TEST(!scheduler().openLane(Start).has_value());
  for (auto now = Start; now < Start + 72h; now += 10min) BOOST_TEST(scheduler().takeExpired(now).empty());
  shapes["a"].paused = false;
  scheduler().rerouted(Start + 72h);
  const auto lane = scheduler().openLane(Start + 72h);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler().next(*lane, Start + 72h).has_value());
}

BOOST_AUTO_TEST_CASE(a_pause_stops_an_open_connection_and_its_end_wakes_the_lane) {
  for (int i = 0; i < 3; ++i) scheduler().add(copyTo("a"), Start);
  const auto lane = scheduler().openLane(Start);
  scheduler().finish(scheduler().next(*lane, Start)->key);
  shapes["a"].paused = true;
  scheduler().rerouted(Start);
  BOOST_TEST(!scheduler().next(*lane, Start).has_value());
  scheduler().closeLane(*lane);
  BOOST_TEST(!scheduler().openLane(Start).has_value());
  shapes["a"].paused = false;
  scheduler().rerouted(Start);
  BOOST_TEST(scheduler().openLane(Start).has_value());
}

BOOST_AUTO_TEST_CASE(fewer_connections_are_in_force_without_a_restart) {
  for (int i = 0; i < 100; ++i) scheduler().add(copyTo("a"), Start);
  auto open = openAll();
  BOOST_TEST(open.size() == 8u);
  shapes["a"].connections = 2;
  scheduler().rerouted(Start);
  BOOST_TEST(!scheduler().next(open.front(), Start).has_value());
  for (int i = 0; i < 6; ++i, open.pop_back()) scheduler().closeLane(open.back());
  BOOST_TEST(scheduler().next(open.front(), Start).has_value());
  BOOST_TEST(openAll().empty());
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_held_for_longer_than_its_life_gets_a_try_when_it_is_released) {
  auto copy = copyTo("a");
  copy.held = true;
  scheduler().add(copy, Start);
  BOOST_TEST(scheduler().takeExpired(Start + 48h).empty());
  copy.held = false;
  copy.notBefore = Start + 48h;
  scheduler().change(copy, Start + 48h);
  BOOST_TEST(scheduler().takeExpired(Start + 48h).empty());
  const auto lane = scheduler().openLane(Start + 48h);
  BOOST_REQUIRE(lane.has_value());
  BOOST_TEST(scheduler().next(*lane, Start + 48h).has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_sent_another_way_leaves_its_lane_and_what_is_out_may_not_leave_the_old_way) {
  auto first = copyTo("a");
  auto second = copyTo("a");
  scheduler().add(first, Start);
  scheduler().add(second, Start);
  const auto lane = scheduler().openLane(Start);
  const auto job = scheduler().next(*lane, Start);
  BOOST_TEST(scheduler().mayLeave(*job));
  first.via = second.via = "b:25";
  scheduler().change(first, Start);
  scheduler().change(second, Start);
  BOOST_TEST(!scheduler().mayLeave(*job));
  BOOST_TEST(!scheduler().next(*lane, Start).has_value());
  scheduler().putBack(job->key, Start, Start);
  scheduler().closeLane(*lane);
  const auto other = scheduler().openLane(Start);
  BOOST_REQUIRE(other.has_value());
  for (int i = 0; i < 2; ++i) {
    const auto moved = scheduler().next(*other, Start);
    BOOST_REQUIRE(moved.has_value());
    BOOST_TEST(moved->via == "b:25");
    BOOST_TEST(moved->domain == "a");
    BOOST_TEST(scheduler().mayLeave(*moved));
    scheduler().finish(moved->key);
  }
  scheduler().closeLane(*other);
  BOOST_TEST(scheduler().laneCount() == 0u);
}

BOOST_AUTO_TEST_CASE(orders_that_are_given_again_and_again_leave_nothing_behind) {
  auto copy = copyTo("a");
  scheduler().add(copy, Start);
  for (int i = 1; i < 10'000; ++i) {
    copy.held = i % 3 == 0;
    copy.notBefore = Start + std::chrono::hours(i % 4);
    scheduler().change(copy, Start);
    scheduler().rerouted(Start);
  }
  BOOST_TEST(scheduler().timers() <= 3u);
  BOOST_TEST(scheduler().readyPlaces() <= 40u);
  scheduler().remove(copy.key);
  BOOST_TEST(scheduler().timers() <= 1u);
}

BOOST_AUTO_TEST_CASE(a_setting_of_the_domain_goes_before_that_of_its_host_and_that_of_all) {
  const RouteTable table({{"a.example", "hub.example,b.hub.example:2525", 25, {}}}, {}, {},
                         {{"a.example", 2, 0, {}, false},
                          {"hub.example", 9, 60, {}, false},
                          {"*", 5, 5, {300, 600}, false},
                          {"paused.example", 0, 0, {}, true}});
  const auto shape = table.shapeOf("a.example");
  BOOST_TEST(shape.connections == 2u);
  BOOST_TEST(shape.perMinute == 60u);
  BOOST_TEST(shape.retry.size() == 2u);
  BOOST_TEST(!shape.paused);
  BOOST_TEST(table.shapeOf("else.example").connections == 5u);
  BOOST_TEST(table.shapeOf("paused.example").paused);
  const RouteTable all({}, {}, {}, {{"*", 0, 0, {}, true}, {"a.example", 3, 0, {}, false}});
  BOOST_TEST(all.shapeOf("a.example").paused, "the whole queue is paused");
}

BOOST_AUTO_TEST_SUITE_END()
