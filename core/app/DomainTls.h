#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <string>

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

}  // namespace postern::app
