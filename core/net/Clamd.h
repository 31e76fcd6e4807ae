#pragma once
#include "core/base/CompanionAddress.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace postern::net {

// Asks ClamAV's daemon whether content is infected, by INSTREAM: the bytes go through the local socket and rest in no
// file of ours. Threads: safe for all; each call has a connection of its own.
// Errors: Error(Unavailable) when there is no verdict, whatever the reason: unreachable, late, too large for
// its StreamMaxLength, an error of the scanner. No verdict is never "clean".
class Clamd {
public:
  Clamd(CompanionAddress address, std::chrono::milliseconds timeLimit)
      : address_(std::move(address)), timeLimit_(timeLimit) {}

  // The name of what was found, printable; nothing: clean.
  std::optional<std::string> scan(std::string_view content) const;

private:
  const CompanionAddress address_;
  const std::chrono::milliseconds timeLimit_;
};

// What the daemon said, without the final NUL. Throws Error(Unavailable) for all but a verdict.
std::optional<std::string> readClamdReply(std::string_view reply);

}  // namespace postern::net
