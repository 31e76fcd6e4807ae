#pragma once
#include "core/base/Result.h"
#include "core/config/SiteConfig.h"
#include "core/net/IpRange.h"

#include <string>
#include <string_view>
#include <vector>

// What stands behind the address of a listener, as in "0.0.0.0:587 submission" or "[::]:25 tls=required tls-min=1.3":
// whom it is for, and what it demands. Kept behind a blank in HostPort::host, so that whoever knows nothing of it
// cannot listen there by mistake: such a host is no address.
namespace postern::config {

struct ListenerRules {
  enum class Certificate : std::uint8_t { NotAsked, Asked, Required };

  bool submission = false;   // for people's mail programs: TLS, then AUTH
  bool tlsRequired = false;  // nothing is taken in clear
  bool tls13 = false;        // no older TLS
  Certificate certificate = Certificate::NotAsked;
  std::vector<net::IpRange> balancers;  // only they may connect, and each connection begins with a PROXY header

  bool behindBalancers() const { return !balancers.empty(); }
};

// The words behind an address. The error is for the administrator.
Result<ListenerRules, std::string> parseListenerRules(std::string_view words);

std::string_view wordsOf(const HostPort& listener);
// REQUIRES: the words were taken by parseListenerRules(). Throws Error(Config) otherwise.
ListenerRules rulesOf(const HostPort& listener);
bool isSubmission(const HostPort& listener);
// The address alone.
HostPort placeOf(const HostPort& listener);

// Ranges with commas and blanks between them, as in "192.0.2.0/24, 2001:db8::25". The error names the wrong one.
Result<std::vector<net::IpRange>, std::string> parseRanges(std::string_view text);

}  // namespace postern::config
