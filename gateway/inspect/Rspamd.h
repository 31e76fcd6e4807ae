#pragma once
#include "core/base/CompanionAddress.h"
#include "core/policy/Verdict.h"
#include "gateway/smtp/Ports.h"

#include <chrono>
#include <string>
#include <string_view>

namespace postern::gateway {

// Asks rspamd what it makes of a message: POST /checkv2 over HTTP/1.0 on this machine, so that the answer ends with the
// connection. Threads: safe for all; each call has a connection of its own.
// Errors: Error(Unavailable) for whatever is no whole answer, also one without an action.
class Rspamd {
public:
  Rspamd(CompanionAddress address, std::chrono::milliseconds timeLimit)
      : address_(std::move(address)), timeLimit_(timeLimit) {}

  policy::SpamFacts check(const InspectionFacts& facts, std::string_view content) const;

private:
  const CompanionAddress address_;
  const std::chrono::milliseconds timeLimit_;
};

// The body of an answer. Throws Error(Unavailable).
policy::SpamFacts readRspamdAnswer(std::string_view json);

}  // namespace postern::gateway
