#include "tests/unit/gateway/deliver/DelivererFixture.h"

#include <future>

// An administrator sends a copy to another host. That is no word for the host: what only verified TLS protects goes
// there as it would go to a mail server of its domain, or it waits.

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using Outcome = app::DeliveryEvent::Outcome;
using Tls = app::Route::Tls;

namespace {

const std::string Domain = "partner.example";

struct Reroute : gateway::test::DelivererFixture {
  MailSink sink;
  std::mutex mutex;
  std::string heard;
  std::optional<DialogPeer> peer;
  std::vector<std::string> trusted, distrusted;

  Reroute() {
    sink.reply = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      heard += line + "\n";
      return std::string();
    };
    peer.emplace(std::ref(sink));
  }

  bool heardMail() {
    const std::lock_guard lock(mutex);
    return heard.find("MAIL") != std::string::npos || heard.find('@') != std::string::npos || !sink.mails().empty();
  }

  // One attempt with a copy that was sent to HOST; what came of it.
  app::DeliveryEvent attempt(const std::string& host, app::Protection protection,
                             app::TlsAsk ask = app::TlsAsk::Usual) {
    resolver.host(host, {"127.0.0.1"});
    deliverer.reset();
    deliverer.emplace(options, queue, resolver, tls, clock);
    deliverer->setRoutes(RouteTable(routes, trusted, distrusted));
    deliverer->start();
    auto item = protection == app::Protection::Smime ? sealedTo(Domain) : copyTo(Domain);
    item.first.protection = item.second.protection = item.first.floor = item.second.floor = protection;
    item.first.tlsAsk = item.second.tlsAsk = ask;
    item.first.via = host + ":" + std::to_string(peer->port());
    put(item);
    BOOST_REQUIRE(queue.waitForEvents(queue.events().size() + 1));
    deliverer.reset();
    for (const auto& event : queue.events())
      if (event.copyKey == item.first.key) return event;
    BOOST_FAIL("no event");
    return {};
  }

  void waits(const app::DeliveryEvent& event, const std::string& why) {
    BOOST_TEST((event.outcome == Outcome::Deferred), event.replyText);
    BOOST_TEST(event.replyText.find(why) != std::string::npos, event.replyText);
    BOOST_TEST(!heardMail());
  }
  void leaves(const app::DeliveryEvent& event) {
    BOOST_TEST((event.outcome == Outcome::Delivered), event.replyText);
    BOOST_TEST(heardMail());
  }
};

constexpr auto NeedsTls = app::Protection::Tls;
constexpr auto Open = app::Protection::None;
constexpr auto Sealed = app::Protection::Smime;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_Reroute, Reroute)

BOOST_AUTO_TEST_CASE(a_copy_that_needs_tls_never_goes_to_a_host_that_proves_only_its_own_name) {
  sink.certificate = certificates.server("mx.evil.example");
  waits(attempt("mx.evil.example", NeedsTls), "ostname mismatch");
  waits(attempt("mx.evil.example", Open, app::TlsAsk::Require), "ostname mismatch");
  waits(attempt("mx.evilpartner.example", NeedsTls), "ostname mismatch");
}

BOOST_AUTO_TEST_CASE(a_copy_that_needs_tls_never_goes_to_a_host_without_it) {
  waits(attempt("backup.partner.example", NeedsTls), "STARTTLS");
  sink.certificate = certificates.selfSigned("backup.partner.example");
  waits(attempt("backup.partner.example", NeedsTls), "self-signed");
  sink.certificate = certificates.expired("partner.example");
  waits(attempt("127.0.0.1", NeedsTls), "expired");
}

BOOST_AUTO_TEST_CASE(it_goes_to_a_host_that_proves_a_name_of_its_domain) {
  sink.certificate = certificates.server("backup.partner.example");
  leaves(attempt("backup.partner.example", NeedsTls));
  sink.certificate = certificates.server("partner.example");
  leaves(attempt("relay.elsewhere.example", NeedsTls));
}

BOOST_AUTO_TEST_CASE(it_goes_to_a_host_of_the_sites_own_route_and_to_one_of_a_trusted_domain) {
  sink.certificate = certificates.server("hub.elsewhere.example");
  routes.push_back({Domain, "first.elsewhere.example,hub.elsewhere.example:2525", 25, Tls::Opportunistic});
  leaves(attempt("hub.elsewhere.example", NeedsTls));
  routes.clear();
  trusted = {Domain};
  leaves(attempt("hub.elsewhere.example", NeedsTls));
}

BOOST_AUTO_TEST_CASE(where_tls_does_not_count_it_goes_nowhere) {
  sink.certificate = certificates.server("partner.example");
  distrusted = {Domain};
  waits(attempt("mx.partner.example", NeedsTls), "does not count as a protection");
}

BOOST_AUTO_TEST_CASE(what_the_sites_route_demands_holds_on_the_other_way_too) {
  routes.push_back({Domain, "hub.elsewhere.example", 25, Tls::Verified});
  waits(attempt("other.elsewhere.example", Open), "STARTTLS");
  sink.certificate = certificates.server("other.elsewhere.example");
  waits(attempt("other.elsewhere.example", Open), "ostname mismatch");
}

BOOST_AUTO_TEST_CASE(what_is_sealed_or_open_goes_where_the_administrator_says) {
  leaves(attempt("mx.elsewhere.example", Sealed));
  leaves(attempt("mx.elsewhere.example", Open));
}

BOOST_AUTO_TEST_CASE(a_host_without_an_address_makes_the_copy_wait) {
  auto item = copyTo(Domain);
  item.first.via = "nowhere.example:25";
  put(item);
  start();
  BOOST_REQUIRE(queue.waitForEvents(1));
  waits(queue.events().front(), "has no address");
}

// ---- what is dropped or held while it is on its way to the wire ----

BOOST_AUTO_TEST_CASE(a_copy_that_is_dropped_held_or_sent_another_way_while_its_connection_opens_does_not_leave) {
  for (const int what : {0, 1, 2}) {
    std::promise<void> connected, go;
    MailSink slow;
    slow.reply = [&](const std::string& line) {
      if (line.starts_with("EHLO")) {
        connected.set_value();
        go.get_future().wait();
      }
      return std::string();
    };
    DialogPeer slowPeer(std::ref(slow));
    const auto domain = "slow" + std::to_string(what) + ".example";
    route(domain, slowPeer);
    deliverer.reset();
    start();
    auto item = copyTo(domain);
    put(item);
    connected.get_future().wait();
    if (what == 0) queue.listener().copyDropped(item.first.key);
    if (what == 1) item.first.held = true;
    if (what == 2) item.first.via = "127.0.0.1:" + std::to_string(peer->port());
    if (what != 0) queue.listener().copyChanged(item.first);
    go.set_value();
    if (what == 2) BOOST_TEST(sink.waitFor(1));
    std::this_thread::sleep_for(200ms);
    deliverer.reset();
    BOOST_TEST(slow.mails().empty(), "the " << what);
    if (what != 2) BOOST_TEST(sink.mails().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_dropped_when_its_envelope_is_on_the_wire_leaves_no_content) {
  MailSink busy;
  int mails = 0;
  busy.beforeFinalReply = [&] {
    if (++mails == 1) queue.listener().copyDropped(2);
    std::this_thread::sleep_for(50ms);
  };
  DialogPeer busyPeer(std::ref(busy));
  route("busy.example", busyPeer);
  options.schedule.connectionsPerLane = 1;  // one behind the other
  queue.putAll({copyTo("busy.example"), copyTo("busy.example"), copyTo("busy.example")});
  start();
  BOOST_TEST(busy.waitFor(2));
  BOOST_TEST(queue.waitForFinished(2));
  deliverer.reset();
  for (const auto& mail : busy.mails()) BOOST_TEST(mail.recipient.find("r2@") == std::string::npos);
  for (const auto& event : queue.events()) BOOST_TEST(event.copyKey != 2u);
}

BOOST_AUTO_TEST_SUITE_END()
