#pragma once
#include "core/base/Mutex.h"
#include "core/net/IpRange.h"
#include "core/net/Resolver.h"
#include "core/policy/Verdict.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::gateway {

// Whether an address answers a DNSBL (RFC 5782): "127.0.0.2", or from one to another in the last number, as in
// "127.0.0.4-7".
struct DnsblReply {
  std::string net;  // "127.0.0."
  unsigned from = 0;
  unsigned to = 0;

  static std::optional<DnsblReply> parse(std::string_view text);
  bool matches(std::string_view address) const;
};

// What DNS lists of bad addresses say of clients: the weights of the zones that list one, added up. This is reputation
// and no protection, so a zone that does not answer counts as one that does not list: the only thing at the door that
// fails open. What was found is remembered for minutes. Ownership: `resolver` must outlive it. Threads: safe for all;
// look() blocks for the time limit and one question's deadline at most. Errors: none.
class Dnsbl {
public:
  struct Zone {
    std::string name;  // "zen.spamhaus.example"
    int weight = 1;
    std::vector<DnsblReply> replies;  // that count
  };
  struct Settings {
    std::vector<Zone> zones;
    std::chrono::milliseconds timeLimit{3000};  // for all zones
  };
  Dnsbl(Settings settings, net::Resolver& resolver) : settings_(std::move(settings)), resolver_(resolver) {}

  // Nothing: no zones, or no address.
  std::optional<policy::ReputationFacts> look(std::string_view client);

private:
  using Time = std::chrono::steady_clock::time_point;
  struct Known {
    policy::ReputationFacts facts;
    Time until;
  };
  policy::ReputationFacts ask(const std::string& reversed, bool& whole);

  const Settings settings_;
  net::Resolver& resolver_;
  Mutex mutex_;
  std::map<std::string, Known, std::less<>> known_ GUARDED_BY(mutex_);
};

// "2.0.0.127" and "1.0.0…8.b.d.0.1.0.0.2", to be put before a zone; an IPv4 address in IPv6 form is the IPv4 address.
// Empty: no address.
std::string dnsblName(std::string_view address);

}  // namespace postern::gateway
