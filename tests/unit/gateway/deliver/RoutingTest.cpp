#include "tests/unit/gateway/deliver/DelivererFixture.h"

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using Fixture = gateway::test::DelivererFixture;
using Outcome = app::DeliveryEvent::Outcome;
using Tls = app::Route::Tls;

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_Routing, Fixture)

BOOST_AUTO_TEST_CASE(a_route_of_several_hosts_takes_the_next_when_one_is_dead_or_refuses_service) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  DialogPeer busy([](DialogSession& session) { session.send("421 4.3.2 not now\r\n"); });
  resolver.host("dead.example", {"127.0.0.2"}).host("busy.example", {"127.0.0.1"}).host("mx.example", {"127.0.0.1"});
  routes.push_back({"*",
                    "nowhere.example,dead.example,busy.example:" + std::to_string(busy.port()) +
                        ",mx.example:" + std::to_string(peer.port()),
                    peer.port(), Tls::Opportunistic});
  put(copyTo("x.example"));
  start();
  BOOST_REQUIRE(queue.waitForFinished(1));
  BOOST_TEST(eventOf(1, Outcome::Delivered).remoteHost == "mx.example");
}

BOOST_AUTO_TEST_CASE(all_hosts_of_a_route_that_cannot_be_reached_make_the_copy_wait_and_say_why) {
  resolver.host("dead.example", {"127.0.0.2"});
  routes.push_back({"x.example", "nowhere.example,dead.example", 1, Tls::Opportunistic});
  routes.push_back({"none.example", ",", 25, Tls::Opportunistic});
  put(copyTo("x.example"));
  put(copyTo("none.example"));
  start();
  BOOST_REQUIRE(queue.waitForEvents(2));
  BOOST_TEST(eventOf(1, Outcome::Deferred).remoteHost == "dead.example");
  BOOST_TEST(!eventOf(1, Outcome::Deferred).replyText.empty());
  BOOST_TEST(eventOf(2, Outcome::Deferred).replyText == "the site's route names no host");
}

BOOST_AUTO_TEST_CASE(an_address_literal_is_refused_also_where_a_route_takes_all) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  put(copyTo("[192.0.2.1]"));
  put(copyTo("[IPv6:2001:db8::1]"));
  start();
  BOOST_REQUIRE(queue.waitForFinished(2));
  BOOST_TEST(eventOf(1, Outcome::Failed).replyText.find("5.1.2") == 0u);
  eventOf(2, Outcome::Failed);
  BOOST_TEST(sink.mails().empty());
}

BOOST_AUTO_TEST_CASE(a_post_in_flight_to_a_slow_server_does_not_delay_a_single_message) {
  MailSink slow;
  slow.beforeFinalReply = [] {
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 50);
  };
  DialogPeer slowPeer(std::ref(slow));
  MailSink quick;
  DialogPeer quickPeer(std::ref(quick));
  route("slow.example", slowPeer);
  route("*", quickPeer);
  options.schedule.connectionsPerLane = 2;
  std::vector<std::pair<CopySummary, LoadedCopy>> copies;
  for (int i = 0; i < 10'000; ++i) {
    copies.push_back(copyTo("slow.example"));
    copies.back().first.post = 7;
  }
  queue.putAll(copies);
  start();
  BOOST_REQUIRE(slow.waitFor(4));
  const auto begin = std::chrono::steady_clock::now();
  auto same = copyTo("slow.example");
  same.first.post = 8;
  same.second.recipient = "single@slow.example";
  auto other = copyTo("other.example");
  other.first.post = 9;
  put(same);
  put(other);
  BOOST_TEST(quick.waitFor(1, 5s));
  const auto arrived = [&] {
    for (const auto& event : queue.events())
      if (event.copyKey == same.first.key) return event.outcome == Outcome::Delivered;
    return false;
  };
  while (!arrived() && std::chrono::steady_clock::now() - begin < 10s) {
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 20);
  }
  BOOST_TEST(arrived());
  // In its turn it would have waited 250 seconds.
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 10s));
  BOOST_TEST(queue.events().size() < 2000u, "the post is still in flight");
  deliverer.reset();
}

BOOST_AUTO_TEST_SUITE_END()
