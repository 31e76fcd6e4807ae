#include "gateway/deliver/NextHop.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <random>

namespace postern::gateway {

namespace {

using smtp::ClientTls;

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

bool isAddress(const std::string& text) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

ClientTls tlsOf(app::Route::Tls tls, bool mustVerify) {
  if (mustVerify) return ClientTls::Verified;
  switch (tls) {
    case app::Route::Tls::Opportunistic:
      return ClientTls::Opportunistic;
    case app::Route::Tls::Required:
      return ClientTls::Required;
    case app::Route::Tls::Verified:
      return ClientTls::Verified;
  }
  return ClientTls::Verified;
}

std::size_t randomBelow(std::size_t limit) {
  thread_local std::mt19937 random(std::random_device{}());
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

std::string hostOf(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  else if (address->sa_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  return text;
}

bool isInterfaceAddress(const std::string& wanted) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(list, &::freeifaddrs);
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next)
    if (entry->ifa_addr != nullptr && hostOf(entry->ifa_addr) == wanted) return true;
  return false;
}

bool isLoopback(const std::string& address) {
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET6, address.c_str(), &six) == 1) {
    if (IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_UNSPECIFIED(&six)) return true;
    if (!IN6_IS_ADDR_V4MAPPED(&six)) return false;
    return six.s6_addr[12] == 127 || six.s6_addr[12] == 0;
  }
  if (::inet_pton(AF_INET, address.c_str(), &four) != 1) return false;
  const auto first = ntohl(four.s_addr) >> 24;
  return first == 127 || first == 0;
}

}  // namespace

RouteTable::RouteTable(const std::vector<app::Route>& routes) {
  for (const auto& route : routes) routes_[lower(route.domain)] = route;
}

const app::Route* RouteTable::find(const std::string& domain) const {
  auto found = routes_.find(domain);
  if (found == routes_.end()) found = routes_.find("*");
  return found == routes_.end() ? nullptr : &found->second;
}

std::string RouteTable::hopName(const std::string& domain) const {
  const auto* route = find(domain);
  if (route == nullptr) return domain;
  return "[" + lower(route->host) + "]:" + std::to_string(route->port) + "/" +
         std::to_string(static_cast<int>(route->tls));
}

NextHops NextHopFinder::find(const RouteTable& routes, const std::string& domain, bool mustVerify) const {
  NextHops hops;
  if (const auto* route = routes.find(domain))
    hops = byRoute(*route, mustVerify);
  else if (domain.starts_with('['))
    hops = byLiteral(domain, mustVerify);
  else
    hops = byDns(domain, mustVerify);
  if (hops.targets.size() > options_.maxTargets) hops.targets.resize(options_.maxTargets);
  return hops;
}

NextHops NextHopFinder::byRoute(const app::Route& route, bool mustVerify) const {
  NextHops hops;
  const auto tls = tlsOf(route.tls, mustVerify);
  std::vector<std::string> addresses{route.host};
  if (!isAddress(route.host)) {
    auto answer = resolver_.addresses(route.host);
    if (answer.outcome != net::DnsOutcome::Found) {
      // Permanent only in the DNS: a route is the administrator's word, who can put it right.
      hops.problem =
          "the next hop " + route.host + " has no address" + (answer.problem.empty() ? "" : ": " + answer.problem);
      return hops;
    }
    addresses = std::move(answer.records);
  }
  for (const auto& address : addresses) hops.targets.push_back({route.host, address, route.port, tls, {route.host}});
  return hops;
}

// RFC 5321 §4.1.3: "[192.0.2.1]" or "[IPv6:2001:db8::1]"
NextHops NextHopFinder::byLiteral(const std::string& literal, bool mustVerify) const {
  NextHops hops;
  auto address = literal.ends_with(']') ? literal.substr(1, literal.size() - 2) : std::string();
  if (lower(address).starts_with("ipv6:")) address.erase(0, 5);
  if (!isAddress(address) || isOurself(address)) {
    hops.permanent = true;
    hops.problem = "5.1.2 no mail can be sent to " + literal;
    return hops;
  }
  hops.targets.push_back(
      {address, address, options_.port, mustVerify ? ClientTls::Verified : ClientTls::Opportunistic, {}});
  return hops;
}

NextHops NextHopFinder::byDns(const std::string& domain, bool mustVerify) const {
  NextHops hops;
  const auto found = net::findMailHosts(resolver_, domain, randomBelow);
  if (found.outcome != net::MailHosts::Outcome::Found) {
    hops.permanent = found.outcome != net::MailHosts::Outcome::TryLater;
    const char* code = found.outcome == net::MailHosts::Outcome::NullMx ? "5.1.10 " : hops.permanent ? "5.1.2 " : "";
    hops.problem = code + found.problem;
    return hops;
  }
  bool onlyOurselves = true;
  std::optional<std::uint16_t> ourPreference;
  for (const auto& host : found.hosts)
    if (host.name == lower(options_.hostName) && (!ourPreference || host.preference < *ourPreference))
      ourPreference = host.preference;
  for (const auto& host : found.hosts) {
    // RFC 5321 §5.1: we and what is no better than us would send it round in circles.
    if (ourPreference && host.preference >= *ourPreference) break;
    std::vector<std::string> names{domain};
    if (host.name != domain && (found.secure || host.name.ends_with("." + domain))) names.push_back(host.name);
    const auto answer = resolver_.addresses(host.name);
    if (answer.outcome != net::DnsOutcome::Found) {
      onlyOurselves = false;
      hops.problem = "the mail server " + host.name + " of the domain has no address" +
                     (answer.problem.empty() ? "" : ": " + answer.problem);
    }
    for (const auto& address : answer.records) {
      if (isOurself(address)) continue;
      onlyOurselves = false;
      hops.targets.push_back(
          {host.name, address, options_.port, mustVerify ? ClientTls::Verified : ClientTls::Opportunistic, names});
    }
  }
  if (!hops.targets.empty() || !onlyOurselves) return hops;
  hops.permanent = true;
  hops.problem = "5.4.6 the DNS says that we are the mail server of " + domain + ": mail would come back to us";
  return hops;
}

bool NextHopFinder::isOurself(const std::string& address) const {
  if (!options_.refuseOurselves) return false;
  if (isLoopback(address)) return true;
  const auto& ports = options_.listenPorts;
  return std::find(ports.begin(), ports.end(), options_.port) != ports.end() && isInterfaceAddress(address);
}

}  // namespace postern::gateway
