// postern-webadmin: the web UI over HTTPS.
//
// SECURITY
//   Faces the network of the administrators. Holds the TLS key and the sessions (DATA/web/web.db), nothing else: no
//   list, no member, no mail, no private key of a list. All data comes from listd by orders over its local socket, in
//   the name of the person who is signed in; listd decides and records. It cannot open the vault or the key ring and
//   cannot send mail. No subject and no body is ever asked for. A hole here gives what one administrator could see
//   and order while it is used, and each of those orders is on record.
// STANDARDS
//   RFC 9110, 9112 (HTTP), RFC 6265bis (cookies), RFC 7578 (forms), RFC 8446, 5246 (TLS 1.3, 1.2), RFC 6797 (HSTS),
//   RFC 6238 (TOTP, checked by listd), RFC 4180 (CSV), CSP level 3, WCAG 2.2 AA.
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "webadmin/WebServer.h"

#include <Poco/Exception.h>
#include <Poco/Net/SSLManager.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <iostream>

namespace {

using namespace postern;

int usage() {
  std::cerr << "usage: postern-webadmin --data DIR\n";
  return 2;
}

// Blocked before the first thread starts, so that only sigwait sees them.
sigset_t blockSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int run(const std::filesystem::path& data) {
  umask(0077);
  const auto signals = blockSignals();
  const auto config = config::loadSiteConfig(data);
  log::open("webadmin", config.logLevel);
  Poco::Net::initializeSSL();
  const SystemClock clock(config.clockOffset);
  files::makePrivateFolder(config.path("web"));
  webadmin::Sessions sessions(config.path("web/web.db"), clock);
  webadmin::ListdOrders orders(config.listdSocket());
  webadmin::Accounts accounts(orders, clock);
  webadmin::ClientLimit signInLimit(clock, 10, std::chrono::minutes(5));
  webadmin::TlsCertificate certificate(config.path(config.certificate), config.path(config.certificateKey));
  webadmin::Site site({config, clock, orders, sessions, accounts, signInLimit, certificate});
  webadmin::WebServer server(config.webListen, site, certificate);
  log::info("web", "listening", {{"address", config.webListen.host}, {"port", server.port()}});
  for (int number = 0; sigwait(&signals, &number) == 0 && number == SIGHUP;) {
    // Certificates are read again when they change; there is nothing else to reload.
  }
  log::info("web", "stopping");
  server.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--data") return usage();
  try {
    return run(argv[2]);
  } catch (const std::exception& error) {
    log::error("main", error.what());
    return 3;
  }
}
