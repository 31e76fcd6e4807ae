// postern-webadmin: the web UI over HTTPS.
//
// SECURITY
//   Faces the network of the administrators. Holds the TLS key and the sessions (DATA/web/web.db), nothing else: no
//   list, no member, no mail, no private key of a list. All data comes from listd by orders over its local socket, in
//   the name of the person who is signed in; listd decides and records. It cannot open the vault or the key ring and
//   cannot send mail. No subject and no body is ever asked for. A hole here gives what the people with accounts could
//   see and order, and each of those orders is on record; it cannot pass for the command line, since it cannot read the
//   key that proves that (docs/decisions/0013).
// STANDARDS
//   RFC 9110, 9112 (HTTP), RFC 6265bis (cookies), RFC 7578 (forms), RFC 8446, 5246 (TLS 1.3, 1.2), RFC 6797 (HSTS),
//   RFC 6238 (TOTP, checked by listd), RFC 4180 (CSV), CSP level 3, WCAG 2.2 AA.
#include "core/app/Daemon.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "webadmin/Walls.h"
#include "webadmin/WebServer.h"

#include <Poco/Exception.h>
#include <Poco/Net/SSLManager.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <iostream>

namespace {

using namespace postern;

// The parts of the process, in the order of making; destroyed the other way round.
struct WebAdmin {
  explicit WebAdmin(const config::SiteConfig& config)
      : clock(config.clockOffset),
        sessions(config.path("web/web.db"), clock),
        orders(config.webSocket()),
        accounts(orders, clock),
        signInLimit(clock, 10, std::chrono::minutes(5)),
        certificate(config.path(config.certificate), config.path(config.certificateKey)),
        site({config, clock, orders, sessions, accounts, signInLimit, certificate}),
        server(config.webListen, site, certificate) {
    log::info("web", "listening", {{"address", config.webListen.host}, {"port", server.port()}});
  }
  ~WebAdmin() { server.stop(); }

  SystemClock clock;
  webadmin::SessionStore sessions;
  webadmin::ListdOrders orders;
  webadmin::Accounts accounts;
  webadmin::ClientLimit signInLimit;
  webadmin::TlsCertificate certificate;
  webadmin::Site site;
  webadmin::WebServer server;
};

}  // namespace

int main(int argc, char** argv) {
  return app::runDaemon("postern-webadmin", argc, argv, webadmin::wallsOf, [](const config::SiteConfig& config) {
    umask(0077);
    Poco::Net::initializeSSL();
    files::makePrivateFolder(config.path("web"));
    return std::make_shared<WebAdmin>(config);
  });
}
