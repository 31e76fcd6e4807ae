#pragma once
#include "core/config/SiteConfig.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::cli {

// A checkpoint on its way out of the machine.
struct AnchoredCheckpoint {
  std::uint64_t size = 0;
  std::string note;
  std::string publicKey;
};

struct AnchorResult {
  std::string kind;  // "file" "syslog" "timestamp"
  bool good = false;
  bool fresh = false;   // carried now; not so when the place has it already
  std::string receipt;  // what listd keeps: a path, an address, the token's time
  std::string text;     // for a person
};

// Carries the checkpoint to every place that section [audit] names; one that fails does not keep the others back.
// The folder of anchors holds SIZE.checkpoint, SIZE.tsr (the time stamp's answer) and public-key.
std::vector<AnchorResult> carryCheckpoint(const config::SiteConfig& site, const AnchoredCheckpoint& checkpoint);

// One RFC 5424 message over TCP (RFC 6587, octet counting) or UDP (RFC 5426). Throws Error(Unavailable).
void sendSyslog(const std::string& url, const std::string& hostName, const std::string& text);

// Asks an RFC 3161 authority for a time stamp on the text and checks it: the imprint, our nonce, and the signature
// against `authorities`. Gives the answer (DER) back. Throws Error(Unavailable or Crypto).
std::string fetchTimestamp(const std::string& url, const std::string& text, const std::string& authorities);

}  // namespace postern::cli
