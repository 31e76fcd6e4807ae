#include "gateway/deliver/NextHop.h"

#include "core/crypto/Encoding.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace postern::gateway {

namespace {

using smtp::ClientTls;

bool mustVerify(TlsNeed need) {
  return need == TlsNeed::Protection || need == TlsNeed::Asked;
}

constexpr const char* DnssecInvalid = "dnssec-invalid";

// Who demands verified TLS when it is not the destination.
const char* demandOf(TlsNeed need) {
  return need == TlsNeed::Asked ? "the sender (REQUIRETLS)" : "the protection of the copy";
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

bool isAddress(const std::string& text) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, text.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

ClientTls tlsOf(app::Route::Tls tls, bool verify) {
  if (verify) return ClientTls::Verified;
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

// "a.example,b.example:2525,[2001:db8::1]:25": the hosts of a route, the first that answers is taken.
std::vector<std::pair<std::string, std::uint16_t>> hostsOf(const app::Route& route) {
  std::vector<std::pair<std::string, std::uint16_t>> hosts;
  std::string_view rest = route.host;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string name(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    auto port = route.port;
    const auto colon = name.rfind(':');
    if (!isAddress(name) && colon != name.npos && !name.ends_with(']')) {
      port = static_cast<std::uint16_t>(std::strtoul(name.c_str() + colon + 1, nullptr, 10));
      name.resize(colon);
    }
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    if (!name.empty() && port != 0) hosts.emplace_back(std::move(name), port);
  }
  return hosts;
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

std::string textOf(const net::TlsaRecord& record) {
  return std::to_string(record.usage) + " " + std::to_string(record.selector) + " " + std::to_string(record.matching) +
         " " + crypto::hex(record.data);
}

TlsSession sessionOf(const std::string& domain, const HopSurvey& survey, const HopHost& host) {
  TlsSession session;
  session.domain = domain;
  session.host = host.name;
  session.failure = host.failure;
  const auto& policy = survey.sts.policy;
  if (!host.target.dane.empty() || host.failure == DnssecInvalid) {
    session.policyType = "tlsa";
    for (const auto& record : host.target.dane) session.strings.push_back(textOf(record));
  } else if (policy && policy->mode != net::StsPolicy::Mode::None) {
    session.policyType = "sts";
    session.strings = {"version: STSv1", std::string("mode: ") + net::stsModeWord(policy->mode)};
    for (const auto& pattern : policy->mx) session.strings.push_back("mx: " + pattern);
    session.strings.push_back("max_age: " + std::to_string(policy->maxAge.count()));
    session.patterns = policy->mx;
  } else {
    session.policyType = "no-policy-found";
  }
  return session;
}

}  // namespace

RouteTable::RouteTable(const std::vector<app::Route>& routes, const std::vector<std::string>& trusted,
                       const std::vector<std::string>& distrusted, const std::vector<app::DestinationShape>& shapes)
    : trusted_(trusted.begin(), trusted.end()), distrusted_(distrusted.begin(), distrusted.end()) {
  for (const auto& route : routes) routes_[lower(route.domain)] = route;
  for (const auto& shape : shapes) shapes_[lower(shape.destination)] = shape;
}

const app::Route* RouteTable::find(const std::string& domain) const {
  auto found = routes_.find(domain);
  if (found == routes_.end()) found = routes_.find("*");
  return found == routes_.end() ? nullptr : &found->second;
}

std::string RouteTable::hopName(const std::string& domain) const {
  const auto* route = find(domain);
  if (route == nullptr || shapes_.contains(domain)) return domain;
  return "[" + lower(route->host) + "]:" + std::to_string(route->port) + "/" +
         std::to_string(static_cast<int>(route->tls));
}

// Takes over what is not set yet.
void RouteTable::mix(const std::string& name, Scheduler::Shape& shape) const {
  const auto found = shapes_.find(name);
  if (found == shapes_.end()) return;
  const auto& set = found->second;
  if (shape.connections == 0) shape.connections = set.connections;
  if (shape.perMinute == 0) shape.perMinute = set.perMinute;
  if (shape.retry.empty())
    for (const auto seconds : set.retry) shape.retry.emplace_back(std::chrono::seconds(seconds));
  shape.paused = shape.paused || set.paused;
}

Scheduler::Shape RouteTable::shapeOf(const std::string& domain) const {
  Scheduler::Shape shape;
  if (shapes_.empty()) return shape;
  mix(domain, shape);
  if (const auto* route = find(domain))
    for (const auto& [host, port] : hostsOf(*route)) mix(lower(host), shape);
  mix("*", shape);
  return shape;
}

NextHops NextHopFinder::find(const RouteTable& routes, const std::string& domain, TlsNeed need,
                             const std::string& via) const {
  NextHops hops;
  if (need == TlsNeed::Protection && routes.distrusts(domain)) {
    hops.problem = "the site says that TLS does not count as a protection for " + domain + ", so the copy waits";
    return hops;
  }
  const auto found = via.empty() ? survey(routes, domain, need) : byWay(routes, domain, need, via);
  hops.problem = found.problem;
  hops.permanent = found.permanent;
  const bool counted = found.route.empty() && !domain.starts_with('[') && need != TlsNeed::Waived;
  if (counted && !found.sts.policy && !found.sts.problem.empty())
    hops.stopped.push_back({domain, "sts", {}, {}, "sts-policy-fetch-error", {}, {}, found.sts.problem});
  for (const auto& host : found.hosts) {
    if (!host.problem.empty()) {
      hops.problem = host.problem;
      if (counted && !host.failure.empty()) hops.stopped.push_back(sessionOf(domain, found, host));
      continue;
    }
    for (const auto& address : host.addresses) {
      if (hops.targets.size() == options_.maxTargets) return hops;
      hops.targets.push_back(host.target);
      if (counted) hops.sessions.push_back(sessionOf(domain, found, host));
      hops.targets.back().address = address;
    }
  }
  return hops;
}

HopSurvey NextHopFinder::survey(const RouteTable& routes, const std::string& domain, bool verified) const {
  return survey(routes, domain, verified ? TlsNeed::Protection : TlsNeed::Usual);
}

HopSurvey NextHopFinder::survey(const RouteTable& routes, const std::string& domain, TlsNeed need) const {
  if (domain.starts_with('[')) {  // RFC 5321 §4.1.3: it names a machine and no organisation, so nobody's policy holds
    HopSurvey survey;
    survey.permanent = true;
    survey.problem = "5.1.2 no mail is sent to an address literal such as " + domain;
    return survey;
  }
  if (const auto* route = routes.find(domain)) return byRoute(*route, need);
  return byDns(routes, domain, need);
}

HopSurvey NextHopFinder::byRoute(const app::Route& route, TlsNeed need) const {
  HopSurvey survey;
  for (const auto& [name, port] : hostsOf(route)) {
    survey.route += (survey.route.empty() ? "" : ", ") + name + ":" + std::to_string(port);
    HopHost host;
    host.name = name;
    host.addresses = {name};
    host.target = {name, "", port, tlsOf(route.tls, mustVerify(need)), {name}};
    if (route.tls != app::Route::Tls::Opportunistic)
      host.target.demand = "the site's route";
    else if (mustVerify(need))
      host.target.demand = demandOf(need);
    if (!isAddress(name)) {
      auto answer = resolver_.addresses(name);
      // Permanent only in the DNS: a route is the administrator's word, who can put it right.
      if (answer.outcome != net::DnsOutcome::Found)
        host.problem =
            "the next hop " + name + " has no address" + (answer.problem.empty() ? "" : ": " + answer.problem);
      host.addresses = std::move(answer.records);
    }
    survey.hosts.push_back(std::move(host));
  }
  if (survey.hosts.empty()) survey.problem = "the site's route names no host";
  return survey;
}

HopSurvey NextHopFinder::byWay(const RouteTable& routes, const std::string& domain, TlsNeed need,
                               const std::string& via) const {
  app::Route way;
  way.domain = domain;
  way.host = via;
  const auto* route = routes.find(domain);
  if (route != nullptr) way.tls = route->tls;
  auto survey = byRoute(way, need);
  const auto sts = sts_ && route == nullptr && need != TlsNeed::Waived ? sts_->find(domain) : StsFinding();
  const bool enforced = sts.policy && sts.policy->mode == net::StsPolicy::Mode::Enforce;
  for (auto& host : survey.hosts) {
    const auto name = lower(host.name);
    bool proven = name == domain || name.ends_with("." + domain) || routes.trusts(domain);
    if (route != nullptr)
      for (const auto& [known, port] : hostsOf(*route)) proven = proven || lower(known) == name;
    if (enforced) {
      proven = sts.policy->allows(name);
      if (!proven) host.problem = "the MTA-STS policy of " + domain + " does not allow the mail server " + name;
      host.target.tls = ClientTls::Verified;
      host.target.demand = "MTA-STS";
    }
    host.target.names = {domain};
    if (proven) host.target.names.push_back(name);
  }
  return survey;
}

HopSurvey NextHopFinder::byDns(const RouteTable& routes, const std::string& domain, TlsNeed need) const {
  HopSurvey survey;
  const auto found = net::findMailHosts(resolver_, domain, randomBelow);
  if (found.outcome != net::MailHosts::Outcome::Found) {
    survey.permanent = found.outcome != net::MailHosts::Outcome::TryLater;
    const char* code = found.outcome == net::MailHosts::Outcome::NullMx ? "5.1.10 " : survey.permanent ? "5.1.2 " : "";
    survey.problem = code + found.problem;
    return survey;
  }
  survey.mxSecure = found.secure;
  if (sts_ && need != TlsNeed::Waived) survey.sts = sts_->find(domain);
  std::optional<std::uint16_t> ourPreference;
  for (const auto& host : found.hosts)
    if (host.name == lower(options_.hostName) && (!ourPreference || host.preference < *ourPreference))
      ourPreference = host.preference;
  bool onlyOurselves = true;
  for (const auto& mx : found.hosts) {
    // RFC 5321 §5.1: we and what is no better than us would send it round in circles.
    if (ourPreference && mx.preference >= *ourPreference) break;
    if (survey.hosts.size() == options_.maxTargets) break;
    auto answer = resolver_.addresses(mx.name);
    HopHost host;
    host.name = mx.name;
    host.preference = mx.preference;
    if (answer.outcome != net::DnsOutcome::Found)
      host.problem = "the mail server " + mx.name + " of the domain has no address" +
                     (answer.problem.empty() ? "" : ": " + answer.problem);
    std::erase_if(answer.records, [this](const std::string& address) { return isOurself(address); });
    if (host.problem.empty() && answer.records.empty()) continue;
    onlyOurselves = false;
    host.addresses = std::move(answer.records);
    host.target.host = mx.name;
    host.target.port = options_.port;
    if (host.problem.empty()) demand(routes, domain, need, survey, answer.secure, answer.canonical, host);
    survey.hosts.push_back(std::move(host));
  }
  if (!survey.hosts.empty() || !onlyOurselves) return survey;
  survey.permanent = true;
  survey.problem = "5.4.6 the DNS says that we are the mail server of " + domain + ": mail would come back to us";
  return survey;
}

// What the server has to prove, the strictest rule first.
void NextHopFinder::demand(const RouteTable& routes, const std::string& domain, TlsNeed need, const HopSurvey& survey,
                           bool hostSecure, const std::string& canonical, HopHost& host) const {
  auto& target = host.target;
  target.names = {domain};
  if (host.name != domain && (survey.mxSecure || host.name.ends_with("." + domain) || routes.trusts(domain)))
    target.names.push_back(host.name);
  if (need == TlsNeed::Waived) return;  // RFC 8689 §4.2.2
  if (survey.mxSecure && hostSecure && demandDane(canonical, domain, host)) return;
  const bool encrypted = host.problem.empty() && !host.tlsa.empty();  // TLSA records, none of them usable
  if (const auto& policy = survey.sts.policy; policy && policy->mode == net::StsPolicy::Mode::Enforce) {
    if (!policy->allows(host.name)) host.failure = "validation-failure";
    if (!policy->allows(host.name))
      host.problem = "the MTA-STS policy of " + domain + " does not allow the mail server " + host.name;
    target.tls = ClientTls::Verified;
    target.names = {host.name};
    target.proof = "mta-sts";
    target.demand = "MTA-STS";
    return;
  }
  if (mustVerify(need)) {
    target.tls = ClientTls::Verified;
    target.demand = demandOf(need);
  } else if (encrypted) {
    target.tls = ClientTls::Required;  // RFC 7672 §2.2
    target.demand = "DANE";
  }
}

// True: DANE decides about this host, for better or worse. REQUIRES: MX and address are validated by DNSSEC.
bool NextHopFinder::demandDane(const std::string& canonical, const std::string& domain, HopHost& host) const {
  host.tlsaAsked = true;
  const auto prefix = "_" + std::to_string(options_.port) + "._tcp.";
  std::vector<std::string> bases{host.name};
  // RFC 7672 §2.2.2: the end of a chain of aliases first.
  if (!canonical.empty() && canonical != host.name) bases.insert(bases.begin(), canonical);
  for (const auto& base : bases) {
    auto answer = resolver_.tlsa(prefix + base);
    host.tlsaOutcome = answer.outcome;
    if (answer.outcome == net::DnsOutcome::Failed || answer.outcome == net::DnsOutcome::Bogus) {
      host.failure = DnssecInvalid;
      host.problem = "the TLSA records of " + base + " cannot be validated: " + answer.problem;
      return true;
    }
    if (answer.outcome != net::DnsOutcome::Found || !answer.secure) continue;
    host.tlsa = std::move(answer.records);
    auto usable = host.tlsa;
    std::erase_if(usable, [](const net::TlsaRecord& record) { return !net::isUsable(record); });
    if (usable.empty()) return false;
    auto& target = host.target;
    target.host = base;
    target.tls = ClientTls::Verified;
    target.dane = std::move(usable);
    target.names = {base};
    for (const auto& name : {host.name, domain})
      if (std::find(target.names.begin(), target.names.end(), name) == target.names.end()) target.names.push_back(name);
    target.demand = "DANE";
    return true;
  }
  return false;
}

bool NextHopFinder::isOurself(const std::string& address) const {
  if (!options_.refuseOurselves) return false;
  if (isLoopback(address)) return true;
  const auto& ports = options_.listenPorts;
  return std::find(ports.begin(), ports.end(), options_.port) != ports.end() && isInterfaceAddress(address);
}

}  // namespace postern::gateway
