#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Result.h"
#include "core/net/Resolver.h"
#include "core/smtp/ClientConnection.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::gateway {

// Where to try a domain's mail, in order; or why there is nowhere.
struct NextHops {
  std::vector<smtp::ClientTarget> targets;
  std::string problem;     // when there are no targets
  bool permanent = false;  // no later try will help: no such domain, null MX, we are its best mail server
};

// The routes of the site: a domain's own, else that of "*". Immutable; shared as a snapshot. Domains in lower case.
class RouteTable {
public:
  RouteTable() = default;
  explicit RouteTable(const std::vector<app::Route>& routes);

  const app::Route* find(const std::string& domain) const;
  // Names the next hop, so that domains with one next hop share connections.
  std::string hopName(const std::string& domain) const;

private:
  std::map<std::string, app::Route> routes_;
};

// Works out next hops: route, address literal, or MX by DNS (RFC 5321 §5.1).
// Which certificate names prove the server: the host of a route; of an MX the domain itself and host names below it,
// and the MX host name only where DNSSEC vouches for it, since anybody could have answered otherwise.
// Loop guard: our own name among the MX cuts off it and all worse ones; loopback addresses and our own listeners are
// never the place of a domain that has no route.
// Threads: safe for all. Ownership: the resolver must outlive it.
class NextHopFinder {
public:
  struct Options {
    std::string hostName;
    std::vector<std::uint16_t> listenPorts;  // ours
    std::uint16_t port = 25;                 // of MX hosts
    bool refuseOurselves = true;             // off only in tests, whose peers live on loopback
    std::size_t maxTargets = 6;
  };
  NextHopFinder(Options options, net::Resolver& resolver) : options_(std::move(options)), resolver_(resolver) {}

  NextHops find(const RouteTable& routes, const std::string& domain, bool mustVerify) const;

private:
  NextHops byRoute(const app::Route& route, bool mustVerify) const;
  NextHops byLiteral(const std::string& literal, bool mustVerify) const;
  NextHops byDns(const std::string& domain, bool mustVerify) const;
  bool isOurself(const std::string& address) const;

  const Options options_;
  net::Resolver& resolver_;
};

}  // namespace postern::gateway
