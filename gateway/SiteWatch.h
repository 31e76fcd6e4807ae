#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"
#include "core/config/SiteConfig.h"
#include "core/net/Resolver.h"

#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace postern::gateway {

// What the DNS says of the site itself: does the resolver answer, does mail for the own domains come here, do their SPF
// records name this machine. Names that are for tests and documentation (RFC 6761) are passed over.
std::vector<app::Finding> lookAtDns(net::Resolver& resolver, const std::string& hostName,
                                    const std::vector<std::string>& domains);

// The TLS certificate of the mail ports, by the file.
std::vector<app::Finding> lookAtCertificate(const config::SiteConfig& config, TimePoint now);

// Looks at both now and then, and keeps what it found. Asks no DNS on a site whose settings are for tests (mx_port).
// Ownership: what it is given must outlive it. Threads: safe for all; has one of its own.
class SiteWatch {
public:
  using Domains = std::function<std::vector<std::string>()>;
  SiteWatch(const config::SiteConfig& config, net::Resolver& resolver, Domains domains, const Clock& clock);

  std::vector<app::Finding> findings() const;

private:
  void run(const std::stop_token& stop);

  const config::SiteConfig& config_;
  net::Resolver& resolver_;
  const Domains domains_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<app::Finding> findings_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::gateway
