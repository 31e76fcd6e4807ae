#include "core/app/GatewayLink.h"
#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "tests/support/TempFolder.h"

using namespace postern;
using namespace std::chrono_literals;

namespace {

// Remembers what it was asked and answers with what the test put in.
class RecordingService : public app::GatewayService {
public:
  void hello(std::string_view queueKey) override { key = queueKey; }
  void setRouting(const app::RoutingView& view) override { routing = view; }
  std::vector<app::AcceptedItem> takeAccepted(std::uint64_t, std::uint32_t, std::chrono::milliseconds) override {
    return accepted;
  }
  void sessionEnded(std::uint64_t) override { ++ended; }
  void submitCopies(std::vector<app::Copy> list, std::vector<app::Tail> given) override {
    for (auto& tail : given) tails[tail.id] = std::move(tail.bytes);
    if (list.empty()) throw Error(ErrorKind::DiskFull, "no room");
    copies = std::move(list);
  }
  void finish(const std::vector<std::uint64_t>& ids) override { finished = ids.at(0); }
  std::vector<app::GatewayEvent> takeEvents(std::uint64_t, std::uint32_t, std::chrono::milliseconds) override {
    return events;
  }
  app::GatewayStats stats() override {
    app::GatewayStats stats;
    stats.queued = 3;
    stats.problems = {"the disk is nearly full"};
    return stats;
  }
  std::string askQueue(std::string_view action, std::string_view request) override {
    return std::string(action) + " " + std::string(request);
  }
  std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey) override {
    return action == "hold" ? copyKey : 0;
  }

  std::string key;
  app::RoutingView routing;
  std::vector<app::AcceptedItem> accepted;
  std::map<std::uint64_t, std::string> tails;
  std::vector<app::Copy> copies;
  std::vector<app::GatewayEvent> events;
  std::uint64_t finished = 0;
  std::atomic<int> ended{0};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_app_GatewayLink)

BOOST_AUTO_TEST_CASE(every_request_arrives_whole_and_is_answered) {
  test::TempFolder folder;
  RecordingService service;
  service.accepted = {{7, std::string("sealed\0bytes", 12)}};
  app::DeliveryEvent delivered;
  delivered.copyKey = 5;
  delivered.replyCode = 250;
  delivered.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "verified", "mx.example.org"};
  app::RefusalEvent refused;
  refused.recipients = {"social@lists.example"};
  refused.reason = "secure-tag";
  service.events = {{1, delivered}, {2, refused}};
  app::GatewayLinkServer server(folder / "g", service);
  app::GatewayLink link(folder / "g");

  link.hello("0123");
  BOOST_TEST(service.key == "0123");
  app::RoutingView view;
  view.revision = 4;
  view.addresses = {{"board@lists.example", "board", true, app::RoutedAddress::Role::List}};
  view.routes = {{"*", "127.0.0.1", 2626, app::Route::Tls::Verified}};
  view.shapes = {{"example.org", 4, 60, {300, 900}, true}};
  link.setRouting(view);
  BOOST_TEST(service.routing.revision == 4u);
  BOOST_TEST(service.routing.addresses.at(0).secure);
  BOOST_TEST(service.routing.routes.at(0).port == 2626);
  BOOST_TEST((service.routing.shapes == view.shapes));
  BOOST_TEST(link.takeAccepted(10, 0ms).at(0).sealed.size() == 12u);
  link.storeTail(3, "tail");
  app::Copy copy;
  copy.key = 11;
  copy.protection = app::Protection::Smime;
  copy.recipient = "ann@example.org";
  link.submitCopies({copy});
  BOOST_TEST(service.copies.at(0).recipient == "ann@example.org");
  BOOST_TEST(service.tails[3] == "tail");
  link.finish({7});
  BOOST_TEST(service.finished == 7u);
  const auto events = link.takeEvents(0, 10, 0ms);
  BOOST_TEST(std::get<app::DeliveryEvent>(events.at(0).what).tls.peerName == "mx.example.org");
  BOOST_TEST(std::get<app::RefusalEvent>(events.at(1).what).reason == "secure-tag");
  BOOST_TEST(link.stats().problems.at(0) == "the disk is nearly full");
  BOOST_TEST(link.askQueue("list", "{}") == "list {}");
  BOOST_TEST(link.queueAct("hold", 9) == 9u);
}

BOOST_AUTO_TEST_CASE(an_error_of_the_gateway_keeps_its_kind_and_the_link_goes_on) {
  test::TempFolder folder;
  RecordingService service;
  app::GatewayLinkServer server(folder / "g", service);
  app::GatewayLink link(folder / "g");
  BOOST_CHECK_EXCEPTION(link.submitCopies({}), Error,
                        [](const Error& error) { return error.kind() == ErrorKind::DiskFull; });
  BOOST_TEST(link.stats().queued == 3u);
}

BOOST_AUTO_TEST_CASE(tails_go_with_the_next_copies_of_their_connection_and_no_other) {
  test::TempFolder folder;
  RecordingService service;
  app::GatewayLinkServer server(folder / "g", service);
  app::GatewayLink link(folder / "g");
  app::GatewayLink other(folder / "g");
  link.storeTail(3, "three");
  link.storeTail(4, std::string(3u << 20, 'f'));
  other.storeTail(5, "five");
  link.submitCopies({app::Copy{}});
  BOOST_TEST(service.tails.size() == 2u);
  BOOST_TEST(service.tails[4].size() == 3u << 20);
  service.tails.clear();
  BOOST_CHECK_THROW(link.submitCopies({}), Error);
  link.submitCopies({app::Copy{}});
  BOOST_TEST(service.tails.empty());
  BOOST_TEST(link.stats().queued == 3u);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_connection_is_told_to_the_service) {
  test::TempFolder folder;
  RecordingService service;
  app::GatewayLinkServer server(folder / "g", service);
  {
    app::GatewayLink link(folder / "g");
    link.stats();
  }
  server.stop();
  BOOST_TEST(service.ended == 1);
}

BOOST_AUTO_TEST_CASE(a_submission_of_another_format_is_refused) {
  app::Submission submission;
  submission.content = "Subject: x\r\n\r\n";
  auto bytes = submission.encode();
  BOOST_TEST(app::Submission::decode(bytes).content == submission.content);
  bytes[0] = 99;
  BOOST_CHECK_THROW(app::Submission::decode(bytes), Error);
}

BOOST_AUTO_TEST_SUITE_END()
