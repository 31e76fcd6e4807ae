// postern-webadmin: the web UI over HTTPS.
//
// SECURITY
//   Faces the network of the administrators. Holds the TLS key, nothing else: no list, no member, no mail, no private
//   key of a list, no session. All data comes from listd by orders over its local socket, with the secret of the
//   session that the browser sends; listd knows the sessions, decides and records. It writes no file (a form that waits
//   for a step-up is kept in memory for ten minutes, KeptForms.h), cannot open the vault or the key ring and cannot
//   send mail. No subject and no body is ever asked for. A hole here gives what those people could see and order who
//   use it meanwhile, and each of those orders is on record. It can act for nobody who is not there
//   (docs/decisions/0020), and cannot pass for the command line, since it cannot read the key that proves that (0013).
// STANDARDS
//   RFC 9110, 9112 (HTTP), RFC 6265bis (cookies), RFC 7578 (forms), RFC 8446, 5246 (TLS 1.3, 1.2), RFC 6797 (HSTS),
//   RFC 6238 (TOTP, checked by listd), RFC 4180 (CSV), CSP level 3, WCAG 2.2 AA.
#include "core/app/Daemon.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "core/base/Systemd.h"
#include "webadmin/Walls.h"
#include "webadmin/WebServer.h"

#include <Poco/Exception.h>
#include <Poco/Net/SSLManager.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using namespace postern;

// The parts of the process, in the order of making; destroyed the other way round.
struct WebAdmin : app::Service {
  explicit WebAdmin(const config::SiteConfig& config)
      : clock(config.clockOffset),
        orders(config.webSocket()),
        signInLimit(clock, 10, std::chrono::minutes(5)),
        certificate(config.path(config.certificate), config.path(config.certificateKey)),
        site({config, clock, orders, signInLimit, certificate}),
        server(webadmin::listenersOf(config.webListen, systemd::takeSockets("web")), site, certificate) {
    for (const auto port : server.ports()) log::info("web", "listening", {{"port", port}});
  }
  ~WebAdmin() override {
    beat.request_stop();
    server.stop();
  }

  bool alive() override { return server.turns(); }

  SystemClock clock;
  webadmin::ListdOrders orders;
  webadmin::ClientLimit signInLimit;
  webadmin::TlsCertificate certificate;
  webadmin::Site site;
  webadmin::WebServer server;
  // By this listd knows that the web process lives; its status says so when it does not.
  std::jthread beat{[this](const std::stop_token& stop) {
    repeatUntilStopped(stop, std::chrono::seconds(15), [this] {
      try {
        orders.give("health", {"system", "webadmin"}, nlohmann::json::object());
      } catch (const std::exception& error) {
        log::debug("web", "listd does not answer", {{"why", error.what()}});
      }
    });
  }};
};

}  // namespace

int main(int argc, char** argv) {
  return app::runDaemon("postern-webadmin", argc, argv, webadmin::wallsOf, [](const config::SiteConfig& config) {
    umask(0077);
    Poco::Net::initializeSSL();
    return std::make_shared<WebAdmin>(config);
  });
}
