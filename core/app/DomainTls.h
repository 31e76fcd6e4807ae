#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern {
class Reader;
class Writer;
}  // namespace postern

namespace postern::app {

// By what the mail servers of a domain can be verified, the strongest that held for every one of them that was asked.
enum class TlsMeans : std::uint8_t {
  None = 0,  // not verified: no STARTTLS, no trusted certificate, or no answer
  Pkix = 1,  // a trusted chain to the expected name
  Sts = 2,   // the same, demanded by an MTA-STS policy in mode enforce (RFC 8461)
  Dane = 3,  // TLSA records under validated DNSSEC (RFC 7672)
};
const char* tlsMeansWord(TlsMeans means);  // "none" "pkix" "mta-sts" "dane"

// What the gateway found out about the TLS of a recipient domain: by asking its servers, or in a delivery. listd plans
// with it; whether a copy may really leave is judged on each connection (gateway/deliver/FloorGuard).
struct DomainTls {
  std::string domain;  // lower case
  TlsMeans means = TlsMeans::None;
  TimePoint checkedAt;
  std::string problem;  // why None, a plain sentence
};

// One mail server of a domain, as it answered. What it says is printable and bounded.
struct HostProbe {
  std::string name;
  std::uint16_t preference = 0;
  std::uint16_t port = 25;
  std::string address;  // the one that was asked
  std::string problem;  // why it was not reached, or may not be used; empty: it answered
  bool startTls = false;
  bool requireTls = false;  // offers REQUIRETLS (RFC 8689)
  std::string version;
  std::string cipher;
  std::string subject;
  std::string issuer;
  TimePoint notBefore;
  TimePoint notAfter;
  std::vector<std::string> names;
  std::string chain;                  // "ok" or why a certificate authority does not vouch for `expected`
  std::vector<std::string> expected;  // names that prove the server
  std::vector<std::string> tlsa;      // "3 1 1 0123…", the first 16 bytes of the data
  std::string dane;                   // "ok", "none", "not signed" or what is wrong
  std::string sts;                    // "ok", "none" or "not allowed by the policy"
  TlsMeans means = TlsMeans::None;    // what a copy that needs verified TLS would count on
  bool operator==(const HostProbe&) const = default;
};

// All that was found out about the TLS of a domain's mail servers.
struct DomainProbe {
  DomainTls verdict;
  bool finished = false;
  std::string progress;  // a plain sentence, while it is not finished
  std::string route;     // the site's own route for the domain, or empty
  std::string problem;   // why there are no mail servers, or empty
  bool mxSecure = false;
  std::string stsId;
  std::string stsMode;  // "none" "testing" "enforce"; empty: no policy
  std::int64_t stsMaxAge = 0;
  std::vector<std::string> stsMx;
  std::string stsProblem;
  std::vector<HostProbe> hosts;

  void encode(Writer& writer) const;
  static DomainProbe decode(Reader& reader);
};

}  // namespace postern::app
