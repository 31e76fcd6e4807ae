#include "core/base/Error.h"
#include "gateway/queue/QueueDesk.h"
#include "tests/support/FakeResolver.h"
#include "tests/support/TlsTestCertificates.h"
#include "tests/unit/gateway/queue/QueueFixture.h"

#include <nlohmann/json.hpp>
#include <thread>

using namespace postern;
using namespace postern::gateway;
using gateway::test::QueueFixture;
using nlohmann::json;
using Action = QueueOrder::Action;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

// The desk over a queue that nobody delivers from.
struct Desk : QueueFixture {
  postern::test::TlsTestCertificates certificates;
  postern::test::FakeResolver resolver;
  net::TlsClient tls{certificates.caFile()};
  SystemClock wall;

  json ask(const std::string& action, const json& request = json::object()) {
    const Deliverer deliverer(DelivererOptions(), *queue, resolver, tls, wall);
    return json::parse(QueueDesk(*queue, deliverer).answer(action, request.dump()));
  }
  std::vector<std::uint64_t> ids(const json& request) {
    std::vector<std::uint64_t> found;
    const auto answer = ask("list", request);
    for (const auto& item : answer.at("items")) found.push_back(item.at("id"));
    return found;
  }
  void put(std::uint64_t count) {
    for (std::uint64_t i = 1; i <= count; ++i) {
      auto made = copy(i);
      made.trace = i % 2 ? "trace-odd" : "trace-even";
      queue->submitCopies({made});
      clock.advance(std::chrono::minutes(1));
    }
  }
  CopySummary summary(std::uint64_t number) {
    for (const auto& one : waiting())
      if (one.key == number) return one;
    return {};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_queue_QueueOrders, Desk)

BOOST_AUTO_TEST_CASE(the_list_is_filtered_and_comes_in_pages_without_a_word_of_whom_or_what) {
  put(9);
  act(Action::Hold, {2, 4});
  BOOST_TEST(ids({{"limit", 100}}).size() == 9u);
  BOOST_TEST(ids({{"destination", "dest1.example"}}) == (std::vector<std::uint64_t>{1, 4, 7}),
             boost::test_tools::per_element());
  BOOST_TEST(ids({{"state", "held"}}) == (std::vector<std::uint64_t>{2, 4}), boost::test_tools::per_element());
  BOOST_TEST(ids({{"state", "waiting"}}).size() == 7u);
  BOOST_TEST(ids({{"state", "active"}}).empty());
  BOOST_TEST(ids({{"trace", "trace-even"}}) == (std::vector<std::uint64_t>{2, 4, 6, 8}),
             boost::test_tools::per_element());
  BOOST_TEST(ids({{"before", toMicros(clock.now() - std::chrono::minutes(7))}}).size() == 2u);
  std::vector<std::uint64_t> paged;
  std::string next;
  int pages = 0;
  do {
    const auto page = ask("list", {{"limit", 4}, {"after", next}});
    for (const auto& item : page.at("items")) paged.push_back(item.at("id"));
    next = page.at("next");
  } while (!next.empty() && ++pages < 5);
  BOOST_TEST(paged == (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}), boost::test_tools::per_element());
  record(3, Outcome::Deferred);
  const auto all = ask("list").dump() + ask("destinations").dump() + ask("show", {{"id", 3}}).dump();
  BOOST_TEST(all.find("canary-member") == std::string::npos);
  BOOST_TEST(all.find("canary-head") == std::string::npos);
  BOOST_TEST(all.find("canary-bounces") == std::string::npos);
  BOOST_TEST(ask("show", {{"id", 3}}).at("lastReply") == "canary-reply");
  BOOST_TEST(ask("show", {{"id", 77}}).empty());
}

BOOST_AUTO_TEST_CASE(destinations_are_counted_with_what_they_said_last) {
  put(9);
  act(Action::Hold, {1});
  record(4, Outcome::Deferred);
  const auto answer = ask("destinations");
  BOOST_TEST(answer.at("total") == 3);
  const auto one = ask("destinations", {{"destination", "dest1.example"}}).at("items").at(0);
  BOOST_TEST(one.at("waiting") == 2);
  BOOST_TEST(one.at("held") == 1);
  BOOST_TEST(one.at("lastReply") == "canary-reply");
  BOOST_TEST(one.at("oldestAt") == toMicros(summary(1).queuedAt));
}

BOOST_AUTO_TEST_CASE(a_thousand_broken_questions_are_malformed_and_change_nothing) {
  put(3);
  const auto isMalformed = [](const Error& error) { return error.kind() == ErrorKind::Malformed; };
  for (const auto& request : {json{{"action", "explode"}, {"all", true}}, json{{"action", "drop"}}, json::object(),
                              json{{"action", "drop"}, {"all", 1}}})
    BOOST_CHECK_EXCEPTION(ask("act", request), Error, isMalformed);
  for (const auto* after :
       {"x", "1", "1.", ".1", "1.x", "-1.2", "99999999999999999999.1", "1.999999999999999999999999"})
    BOOST_CHECK_EXCEPTION(ask("list", {{"after", after}}), Error, isMalformed);
  BOOST_CHECK_EXCEPTION(ask("nothing"), Error, isMalformed);
  BOOST_TEST(waiting().size() == 3u);
}

BOOST_AUTO_TEST_CASE(orders_reach_the_copies_that_were_named_by_number_message_destination_or_all) {
  put(9);
  BOOST_TEST(ask("act", {{"action", "hold"}, {"destination", "dest1.example"}}).at("changed") == 3);
  BOOST_TEST(ask("act", {{"action", "hold"}, {"trace", "trace-even"}}).at("changed") == 3, "one is held already");
  BOOST_TEST(ask("act", {{"action", "release"}, {"ids", {1, 2, 77}}}).at("ids") == (json{1, 2}));
  BOOST_TEST(ask("act", {{"action", "release"}, {"all", true}}).at("changed") == 4);
  BOOST_TEST(queue->stats().held == 0u);
}

BOOST_AUTO_TEST_CASE(another_way_is_kept_over_a_restart_from_the_log_and_from_the_index) {
  put(3);
  BOOST_TEST(act(Action::Hold, {2}) == 1u);
  BOOST_TEST(act(Action::Reroute, {1, 2}, "mx.other.example:2525") == 2u);
  for (int round = 0; round < 2; ++round) {
    if (round == 1) std::this_thread::sleep_for(std::chrono::milliseconds(100));  // queue.db has it
    open();
    BOOST_TEST(summary(1).via == "mx.other.example:2525");
    BOOST_TEST(summary(2).via == "mx.other.example:2525");
    BOOST_TEST(summary(2).held, "another way is no release");
    BOOST_TEST(summary(3).via.empty());
  }
  BOOST_TEST(act(Action::Reroute, {1}) == 1u);
  open();
  BOOST_TEST(summary(1).via.empty(), "its own way again");
}

BOOST_AUTO_TEST_CASE(what_is_held_stays_held_and_what_waits_for_its_time_waits_over_a_restart) {
  put(2);
  record(1, Outcome::Deferred);
  const auto due = summary(1).notBefore;
  act(Action::Hold, {1, 2});
  for (int i = 0; i < 3; ++i) open();
  BOOST_TEST(summary(1).held);
  BOOST_TEST(summary(2).held);
  BOOST_TEST((summary(1).notBefore == due));
  BOOST_TEST(queue->load(1).has_value(), "nothing held is lost");
}

BOOST_AUTO_TEST_CASE(a_copy_that_was_dropped_is_gone_for_good_and_the_ledger_hears_why_once) {
  put(2);
  BOOST_TEST(act(Action::Drop, {1}) == 1u);
  BOOST_TEST(act(Action::Drop, {1}) == 0u);
  BOOST_TEST(act(Action::Release, {1}) == 0u);
  BOOST_TEST(act(Action::Retry, {1}) == 0u);
  BOOST_TEST(act(Action::Reroute, {1}, "a:25") == 0u);
  for (int i = 0; i < 3; ++i) {
    open();
    BOOST_TEST(!queue->load(1));
    BOOST_TEST(waiting().size() == 1u);
    auto again = copy(1);
    queue->submitCopies({again});
    BOOST_TEST(waiting().size() == 1u, "listd may submit it again before it heard");
  }
  const auto told = events();
  BOOST_TEST_REQUIRE(told.size() == 1u);
  const auto& event = std::get<app::DeliveryEvent>(told.front().what);
  BOOST_TEST((event.outcome == Outcome::Dropped));
  BOOST_TEST(event.replyText == "dropped by an administrator: not wanted");
}

BOOST_AUTO_TEST_CASE(while_the_disk_fails_no_order_is_said_to_be_done) {
  put(2);
  disk.writeError = ENOSPC;
  BOOST_CHECK_THROW(act(Action::Hold, {1}), Error);
  BOOST_CHECK_THROW(act(Action::Reroute, {1}, "a:25"), Error);
  BOOST_CHECK_THROW(act(Action::Drop, {2}), Error);
  disk.writeError = 0;
  BOOST_TEST(!summary(1).held);
  BOOST_TEST(summary(1).via.empty());
}

BOOST_AUTO_TEST_SUITE_END()
