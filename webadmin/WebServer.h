#pragma once
#include "core/config/SiteConfig.h"
#include "webadmin/Site.h"
#include "webadmin/TlsCertificate.h"

#include <cstdint>
#include <memory>

namespace postern::webadmin {

// HTTPS around a Site: POCO's HTTP server, with its traps closed in one place (WebServer.cpp).
// Every response carries the security headers. At most 16 connections per client address, 64 in all are served at a
// time; more wait. Threads: construct and stop from one. Errors: the constructor throws Error(Io) when it cannot
// listen.
class WebServer {
public:
  WebServer(const config::HostPort& listen, Site& site, TlsCertificate& certificate);
  ~WebServer();

  std::uint16_t port() const;
  // Takes no new connections, lets running requests finish, closes idle connections.
  void stop();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::webadmin
