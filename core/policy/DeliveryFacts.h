#pragma once
#include "core/policy/Verdict.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::policy {

// The mail server that a copy is about to be given to.
struct HopFacts {
  std::string host;
  std::string address;
  std::optional<TlsFacts> tls;  // nothing on a connection in clear
  bool verified = false;        // TLS with a certificate that proves the destination
};

// A copy in the outbound queue, as the hooks `attempt` and `expire` see it: never its content. Plain values.
struct DeliveryFacts {
  std::string kind;  // "content", "notice" or "report"
  std::string mailFrom;
  std::string recipient;
  std::string protection;  // as app::protectionName
  std::string floor;
  std::uint64_t attempts = 0;   // finished ones
  std::uint64_t age = 0;        // seconds since it was queued
  std::optional<HopFacts> hop;  // Attempt
  std::string failure;          // Expire: what the mail server said for good; empty: its time ran out
};

// Where the mail of a domain may go, as the hook `route` sees it.
struct NextHopFacts {
  std::string host;
  std::string address;
  std::uint64_t port = 25;
};
struct RouteFacts {
  std::string domain;
  std::vector<NextHopFacts> hops;  // in the order in which they would be tried
};

}  // namespace postern::policy
