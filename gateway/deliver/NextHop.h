#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Result.h"
#include "core/net/Resolver.h"
#include "core/smtp/ClientConnection.h"
#include "gateway/deliver/CopyQueue.h"
#include "gateway/deliver/Scheduler.h"
#include "gateway/deliver/StsPolicies.h"
#include "gateway/report/TlsCounters.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace postern::gateway {

// Where to try a domain's mail, in order; or why there is nowhere.
struct NextHops {
  std::vector<smtp::ClientTarget> targets;
  // What the domain's policy is, for each target and for what stopped hosts before they were asked; none with a route,
  // where the domain's policy is not looked at.
  std::vector<TlsSession> sessions;
  std::vector<TlsSession> stopped;
  std::string problem;     // when there are no targets
  bool permanent = false;  // no later try will help: no such domain, null MX, we are its best mail server
};

// One mail server of a domain: how to reach it and what it has to prove.
struct HopHost {
  std::string name;
  std::uint16_t preference = 0;
  std::vector<std::string> addresses;
  std::string problem;        // why nothing may go there; empty: it is as good as `target` demands
  std::string failure = {};   // … in a word of RFC 8460 §4.3, where TLS is why
  smtp::ClientTarget target;  // without the address
  net::DnsOutcome tlsaOutcome = net::DnsOutcome::NoName;
  bool tlsaAsked = false;  // only where DNSSEC covers the MX record and the address
  std::vector<net::TlsaRecord> tlsa;
};

// All that decides where a domain's mail goes and what TLS it needs there.
struct HopSurvey {
  std::string route;    // "HOST:PORT" of the site's own rule
  std::string problem;  // when there are no hosts
  bool permanent = false;
  bool mxSecure = false;
  StsFinding sts;
  std::vector<HopHost> hosts;
};

// What the site says of destinations: the routes, a domain's own or else that of "*", and the domains whose TLS it
// trusts more or not at all, and how fast mail goes where. Immutable; shared as a snapshot. Domains in lower case.
class RouteTable {
public:
  RouteTable() = default;
  explicit RouteTable(const std::vector<app::Route>& routes, const std::vector<std::string>& trusted = {},
                      const std::vector<std::string>& distrusted = {},
                      const std::vector<app::DestinationShape>& shapes = {});

  const app::Route* find(const std::string& domain) const;
  // Names the next hop, so that domains with one next hop share connections, but those with a shape of their own.
  std::string hopName(const std::string& domain) const;

  // What was set for the domain or host, else for the host of its route, else for "*"; each setting by itself.
  Scheduler::Shape shapeOf(const std::string& domain) const;

  bool trusts(const std::string& domain) const { return trusted_.contains(domain); }
  bool distrusts(const std::string& domain) const { return distrusted_.contains(domain); }

private:
  std::map<std::string, app::Route> routes_;
  void mix(const std::string& name, Scheduler::Shape& shape) const;

  std::map<std::string, app::DestinationShape> shapes_;
  std::set<std::string> trusted_;
  std::set<std::string> distrusted_;
};

// Works out next hops: route, address literal, or MX by DNS (RFC 5321 §5.1), and what each demands: the site's route
// first, then DANE (RFC 7672), then MTA-STS (RFC 8461), else opportunistic TLS, or what the copy itself needs
// (docs/decisions/0022).
// Which certificate names prove the server: the host of a route; of an MX the domain itself and host names below it,
// and the MX host name only where DNSSEC, an MTA-STS policy in force or the site vouches for it, since anybody could
// have answered otherwise.
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
  // `sts`: null asks for no MTA-STS; it must outlive the finder.
  NextHopFinder(Options options, net::Resolver& resolver, StsPolicies* sts = nullptr)
      : options_(std::move(options)), resolver_(resolver), sts_(sts) {}

  // `via`: HOST:PORT to be tried in place of the domain's own way. It is no word for the host: a copy that needs
  // verified TLS goes there only if the server proves a name that is the domain's on its own way, too.
  NextHops find(const RouteTable& routes, const std::string& domain, TlsNeed need, const std::string& via = {}) const;
  // The same for a copy that needs verified TLS or nothing, with all that led to it, for people to look at.
  HopSurvey survey(const RouteTable& routes, const std::string& domain, bool verified) const;

private:
  HopSurvey survey(const RouteTable& routes, const std::string& domain, TlsNeed need) const;
  HopSurvey byRoute(const app::Route& route, TlsNeed need) const;
  HopSurvey byWay(const RouteTable& routes, const std::string& domain, TlsNeed need, const std::string& via) const;
  HopSurvey byDns(const RouteTable& routes, const std::string& domain, TlsNeed need) const;
  void demand(const RouteTable& routes, const std::string& domain, TlsNeed need, const HopSurvey& survey,
              bool hostSecure, const std::string& canonical, HopHost& host) const;
  bool demandDane(const std::string& canonical, const std::string& domain, HopHost& host) const;
  bool isOurself(const std::string& address) const;

  const Options options_;
  net::Resolver& resolver_;
  StsPolicies* const sts_;
};

}  // namespace postern::gateway
