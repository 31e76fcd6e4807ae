#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/net/HttpsClient.h"
#include "core/net/MtaSts.h"
#include "core/net/Resolver.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace postern::gateway {

// What is in force of a domain's MTA-STS.
struct StsFinding {
  std::optional<net::StsPolicy> policy;  // none: nothing is demanded
  std::string id;                        // of the policy
  std::string problem;                   // what went wrong on the way, although a policy is announced or known
};

// The MTA-STS policies of recipients' domains (RFC 8461), cached on disk until their max_age is over, so that who can
// forge DNS answers or block HTTPS does not make a known policy go away. A new id makes it be fetched anew; a policy of
// more than a day is refreshed; a fetch that failed is not tried again within five minutes for that id.
//
// Invariants: 1. A policy comes from its domain's own host over verified TLS only, and in the DNS the domain said that
// there is one. 2. What fails while a cached policy lives leaves that in force. 3. Asking for one domain never waits
// for another: one lookup per domain is under way, without any lock. Ownership: resolver, client and clock must outlive
// it. Threads: safe for all. Errors: Error(Io), Error(DiskFull) from the constructor only; a cache that cannot be
// written costs durability, not the answer.
class StsPolicies {
public:
  struct Options {
    std::filesystem::path folder;  // one file for each domain
    std::uint16_t port = 443;
    std::chrono::milliseconds fetchLimit{20000};
    std::size_t maxDomains = 20000;  // in memory
  };
  StsPolicies(Options options, net::Resolver& resolver, net::HttpsClient& https, const Clock& clock);

  // `domain` in lower case. May take as long as the DNS and one fetch take.
  StsFinding find(const std::string& domain);

private:
  struct Known {
    std::string id;
    std::string text;  // as it was fetched
    net::StsPolicy policy;
    TimePoint fetchedAt;
  };
  struct Entry {
    Mutex busy;  // held during the lookups of this one domain
    bool loaded GUARDED_BY(busy) = false;
    std::optional<Known> known GUARDED_BY(busy);
    std::string failedId GUARDED_BY(busy);
    std::string failure GUARDED_BY(busy);
    TimePoint failedAt GUARDED_BY(busy);
  };

  std::shared_ptr<Entry> entryOf(const std::string& domain);
  void refresh(const std::string& domain, const std::string& id, Entry& entry) REQUIRES_LOCK(entry.busy);
  Result<Known, std::string> fetch(const std::string& domain, const std::string& id) const;
  std::optional<Known> load(const std::string& domain) const;
  void save(const std::string& domain, const Known& known) const;
  void dropExpired() const;
  bool isAlive(const Known& known) const;

  const Options options_;
  net::Resolver& resolver_;
  net::HttpsClient& https_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
