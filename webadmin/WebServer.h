#pragma once
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"
#include "webadmin/Site.h"
#include "webadmin/TlsCertificate.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace postern::webadmin {

// HTTPS around a Site: POCO's HTTP server, with its traps closed in one place (WebServer.cpp).
// Every response carries the security headers. At most 16 connections per client address, 64 in all are served at a
// time; more wait. Threads: construct and stop from one; turns() and stop() not at the same time.
class WebServer {
public:
  // `listeners`: at least one socket that listens.
  WebServer(std::vector<FileDescriptor> listeners, Site& site, TlsCertificate& certificate);
  ~WebServer();

  std::vector<std::uint16_t> ports() const;  // of each listener
  // True when each loop that accepts connections takes one of ours within five seconds.
  bool turns();
  // Takes no new connections, lets running requests finish, closes idle connections.
  void stop();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The sockets to serve on: those handed over, or one that listens at `where`. Throws Error(Io) when it cannot listen.
std::vector<FileDescriptor> listenersOf(const config::HostPort& where, std::vector<FileDescriptor> handedOver);

}  // namespace postern::webadmin
