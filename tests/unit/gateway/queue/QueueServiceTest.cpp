#include "core/base/Error.h"
#include "gateway/queue/QueueService.h"
#include "tests/unit/gateway/queue/QueueFixture.h"

using namespace postern;
using namespace postern::gateway;
using gateway::test::QueueFixture;

BOOST_FIXTURE_TEST_SUITE(gateway_queue_QueueService, QueueFixture)

// The gateway knows by itself which lists are secure: a wrong floor from listd is not believed.
BOOST_AUTO_TEST_CASE(takes_no_unprotected_copy_in_the_name_of_a_secure_list) {
  RoutingFile routing(folder / "gateway/routing.bin");
  QueueService service(*queue, routing);
  app::RoutingView view;
  view.addresses.push_back(
      {"board-bounces@lists.example", "board@lists.example", true, app::RoutedAddress::Role::Bounces});
  view.addresses.push_back(
      {"social-bounces@lists.example", "social@lists.example", false, app::RoutedAddress::Role::Bounces});
  service.setRouting(view);
  const auto takes = [&](std::uint64_t number, const std::string& from, app::Copy::Kind kind, app::Protection floor) {
    auto tried = copy(number);
    tried.mailFrom = from;
    tried.kind = kind;
    tried.floor = floor;
    try {
      service.submitCopies({tried}, {});
    } catch (const Error&) {
    }
    return waiting().size() == number;  // numbers count up with what was taken
  };
  using Kind = app::Copy::Kind;
  BOOST_TEST(takes(1, "board-bounces+abc@lists.example", Kind::Content, app::Protection::Smime));
  BOOST_TEST(takes(2, "social-bounces+abc@lists.example", Kind::Content, app::Protection::None));
  BOOST_TEST(takes(3, "", Kind::Notice, app::Protection::None));
  BOOST_TEST(!takes(4, "board-bounces+abc@lists.example", Kind::Content, app::Protection::None));
  BOOST_TEST(!takes(4, "Board-Bounces+abc@lists.example", Kind::Content, app::Protection::None));
  BOOST_TEST(takes(4, "board-bounces+abc@lists.example", Kind::Content, app::Protection::Tls));
}

BOOST_AUTO_TEST_CASE(keeps_the_routing_view_over_a_restart) {
  const auto path = folder / "routing.bin";
  {
    RoutingFile routing(path);
    BOOST_TEST(!routing.current());
    QueueService service(*queue, routing, [](app::GatewayStats& stats) { stats.sessions = 7; });
    app::RoutingView view;
    view.revision = 3;
    view.listDomains = {"lists.example"};
    service.setRouting(view);
    BOOST_TEST(service.stats().sessions == 7);
  }
  RoutingFile routing(path);
  BOOST_TEST(routing.current()->revision == 3);
  BOOST_TEST(routing.current()->listDomains.at(0) == "lists.example");
}

BOOST_AUTO_TEST_SUITE_END()
