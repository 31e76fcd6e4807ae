#pragma once
#include "core/mailauth/Dkim.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mailauth {

// RFC 8617 §4.4.
enum class ArcOutcome : std::uint8_t { None, Pass, Fail };
const char* wordFor(ArcOutcome outcome);

// One hop's three fields.
struct ArcSet {
  const mail::HeaderField* results = nullptr;
  const mail::HeaderField* signature = nullptr;
  const mail::HeaderField* seal = nullptr;
};

// The sets in order; nothing if they make no chain (RFC 8617 §5.2, steps 2 and 3). No set at all is an empty chain.
std::optional<std::vector<ArcSet>> readArcSets(const mail::HeaderBlock& header);

struct ArcResult {
  ArcOutcome outcome = ArcOutcome::None;
  unsigned instances = 0;
  std::string sealer;      // domain of the last seal
  bool tempError = false;  // Fail because the DNS failed
  bool vouches = false;    // with Pass: the last sealer says that DMARC passed for the author when the mail came to it
  std::string reason;
};

// Validates the chain (RFC 8617 §5.2). Never throws for what a sender or the DNS does.
ArcResult verifyArc(Dns& dns, const mail::HeaderBlock& header, std::string_view body);

// Adds a set to a message (RFC 8617 §5.1).
struct ArcSealer {
  std::string domain;
  std::string selector;
  SigningKey key;
  std::string authservId;

  // The three fields with CRLFs, to be put above the header; empty when the chain is at its end (a seal says that it
  // failed, or there are fifty). `results`: the payload of Authentication-Results behind the authserv-id.
  // `names`: fields to sign, lower case; those that are not there are left out.
  std::string seal(const mail::HeaderBlock& header, std::string_view body, ArcOutcome chain, std::string_view results,
                   const std::vector<std::string>& names, long long now) const;
};

}  // namespace postern::mailauth
