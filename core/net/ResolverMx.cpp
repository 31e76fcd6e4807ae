#include "core/net/Resolver.h"

#include <algorithm>

namespace postern::net {

namespace {

// No MX: the domain itself is the host, if it has an address. RFC 5321 §5.1
MailHosts implicitHost(Resolver& resolver, std::string_view domain, bool secure) {
  const auto addresses = resolver.addresses(domain);
  MailHosts hosts;
  hosts.secure = secure;
  hosts.implicit = true;
  switch (addresses.outcome) {
    case DnsOutcome::Found:
      hosts.outcome = MailHosts::Outcome::Found;
      hosts.hosts = {{std::string(domain), 0}};
      break;
    case DnsOutcome::NoData:
    case DnsOutcome::NoName:
      hosts.outcome = MailHosts::Outcome::NoSuchDomain;
      hosts.problem = "the domain has neither an MX record nor an address";
      break;
    case DnsOutcome::Failed:
    case DnsOutcome::Bogus:
      hosts.problem = addresses.problem;
      break;
  }
  return hosts;
}

}  // namespace

MailHosts findMailHosts(Resolver& resolver, std::string_view domain,
                        const std::function<std::size_t(std::size_t)>& shuffle) {
  auto answer = resolver.mx(domain);
  MailHosts hosts;
  switch (answer.outcome) {
    case DnsOutcome::Found:
      break;
    case DnsOutcome::NoData:
      return implicitHost(resolver, domain, answer.secure);
    case DnsOutcome::NoName:
      hosts.outcome = MailHosts::Outcome::NoSuchDomain;
      hosts.problem = "the domain does not exist";
      return hosts;
    case DnsOutcome::Failed:
    case DnsOutcome::Bogus:
      hosts.problem = answer.problem;
      return hosts;
  }
  // RFC 7505 §3: a single record with the root as its host. Beside other records the root is no host at all.
  if (answer.records.size() == 1 && answer.records.front().host.empty()) {
    hosts.outcome = MailHosts::Outcome::NullMx;
    hosts.problem = "the domain takes no mail (null MX)";
    return hosts;
  }
  std::erase_if(answer.records, [](const MxRecord& record) { return record.host.empty(); });
  if (answer.records.empty()) {
    hosts.outcome = MailHosts::Outcome::NullMx;
    hosts.problem = "the domain takes no mail (null MX)";
    return hosts;
  }
  for (std::size_t i = answer.records.size(); i > 1; --i) std::swap(answer.records[i - 1], answer.records[shuffle(i)]);
  std::stable_sort(answer.records.begin(), answer.records.end(),
                   [](const MxRecord& a, const MxRecord& b) { return a.preference < b.preference; });
  hosts.outcome = MailHosts::Outcome::Found;
  hosts.secure = answer.secure;
  for (const auto& record : answer.records) hosts.hosts.push_back({record.host, record.preference});
  return hosts;
}

}  // namespace postern::net
