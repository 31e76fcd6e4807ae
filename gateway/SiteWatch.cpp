#include "gateway/SiteWatch.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "core/mailauth/Dns.h"
#include "core/mailauth/Spf.h"
#include "gateway/ServerCertificate.h"

#include <algorithm>

namespace postern::gateway {

namespace {

using net::DnsOutcome;

constexpr std::chrono::minutes Interval{15};
constexpr std::chrono::days Soon{14};
constexpr std::chrono::days VerySoon{3};
constexpr std::chrono::seconds DnsTime{20};
constexpr std::size_t MostDomains = 200;

// RFC 6761, RFC 2606, RFC 8375.
bool isReserved(std::string_view name) {
  for (const std::string_view end : {".test", ".example", ".invalid", ".localhost", ".localdomain", ".local",
                                     ".home.arpa", ".internal", "example.com", "example.net", "example.org"})
    if (name.ends_with(end)) return true;
  return name.find('.') == std::string_view::npos;
}

bool isAnswer(DnsOutcome outcome) {
  return outcome != DnsOutcome::Failed && outcome != DnsOutcome::Bogus;
}

void lookAtMx(net::Resolver& resolver, const std::string& hostName, const std::string& domain,
              std::vector<app::Finding>& findings) {
  const auto answer = resolver.mx(domain);
  if (!isAnswer(answer.outcome)) return;
  const bool here = std::any_of(answer.records.begin(), answer.records.end(),
                                [&](const net::MxRecord& record) { return record.host == hostName; });
  if (!here)
    findings.push_back({"dns.mx", "warning", "No MX record of " + domain + " names this machine, " + hostName + ".",
                        "Add to the DNS: " + domain + ". MX 10 " + hostName +
                            ". If another server passes mail on to this one, nothing need be done."});
}

// The outcome for each address of this machine; a pass for one of them is enough, since it may send by that alone.
void lookAtSpf(net::Resolver& resolver, const std::string& hostName, const std::vector<std::string>& addresses,
               const std::string& domain, std::vector<app::Finding>& findings) {
  using mailauth::SpfOutcome;
  bool known = false;
  for (const auto& address : addresses) {
    mailauth::ResolverDns dns(resolver, std::chrono::steady_clock::now() + DnsTime);
    const auto result = mailauth::checkSpf(dns, {address, "postmaster@" + domain, hostName, hostName});
    if (result.outcome == SpfOutcome::Pass) return;
    known = known || result.outcome != SpfOutcome::TempError;
  }
  if (known)
    findings.push_back(
        {"dns.spf", "warning", "The SPF record of " + domain + " does not name this machine.",
         "Add a:" + hostName + " to the record, as in: " + domain + ". TXT \"v=spf1 a:" + hostName + " -all\""});
}

}  // namespace

std::vector<app::Finding> lookAtDns(net::Resolver& resolver, const std::string& hostName,
                                    const std::vector<std::string>& domains) {
  std::vector<app::Finding> findings;
  if (isReserved(hostName)) return findings;
  const auto own = resolver.addresses(hostName);
  if (!isAnswer(own.outcome)) {
    findings.push_back({"resolver.dead", "error", "The DNS gives no answer: " + own.problem + ".",
                        "Look at [dns] resolver in postern.toml and at that server; mail waits until it answers."});
    return findings;
  }
  if (own.records.empty())
    findings.push_back({"dns.host", "warning", "The name of this machine, " + hostName + ", has no address in the DNS.",
                        "Add A and AAAA records for it, or set [site] host_name to the name that has them."});
  for (std::size_t i = 0; i < std::min(domains.size(), MostDomains); ++i) {
    if (isReserved(domains[i])) continue;
    lookAtMx(resolver, hostName, domains[i], findings);
    if (!own.records.empty()) lookAtSpf(resolver, hostName, own.records, domains[i], findings);
  }
  return findings;
}

std::vector<app::Finding> lookAtCertificate(const config::SiteConfig& config, TimePoint now) {
  const auto file = config.path(config.certificate).string();
  const std::string todo = "Put a new one and its key in place (" + file +
                           "), or let it be renewed by itself: postern certificate acme; no restart is needed.";
  try {
    const auto certificate = serverCertificate(config);
    if (!certificate)
      return {{"certificate.broken", "error", "The TLS certificate cannot be read: " + file + ".", todo}};
    const auto ends = certificate->notAfter();
    if (ends >= now + Soon) return {};
    const auto day = formatRfc3339(ends).substr(0, 10);
    if (ends < now) return {{"certificate.ended", "error", "The TLS certificate ended on " + day + ".", todo}};
    return {{"certificate.ending", ends < now + VerySoon ? "error" : "warning",
             "The TLS certificate ends on " + day + ".", todo}};
  } catch (const Error& error) {
    return {{"certificate.broken", "error", "The TLS certificate cannot be read: " + error.message() + ".", todo}};
  }
}

SiteWatch::SiteWatch(const config::SiteConfig& config, net::Resolver& resolver, Domains domains, const Clock& clock)
    : config_(config),
      resolver_(resolver),
      domains_(std::move(domains)),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::vector<app::Finding> SiteWatch::findings() const {
  auto all = lookAtCertificate(config_, clock_.now());
  const MutexLock lock(mutex_);
  all.insert(all.end(), findings_.begin(), findings_.end());
  return all;
}

void SiteWatch::run(const std::stop_token& stop) {
  if (config_.mxPort != 25) return;
  repeatUntilStopped(stop, Interval, [this] {
    auto found = lookAtDns(resolver_, config_.hostName, domains_());
    const MutexLock lock(mutex_);
    findings_ = std::move(found);
  });
}

}  // namespace postern::gateway
