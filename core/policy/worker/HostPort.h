#pragma once
#include "core/policy/Verdict.h"

#include <cstdint>
#include <string>

namespace postern::policy::worker {

// What the calls of a script may ask outside of the worker: of the host, or of the case that is run.
// Errors: throws std::exception; the call then fails.
class HostPort {
public:
  virtual ~HostPort() = default;
  virtual MessageContent content() = 0;
  virtual std::uint64_t count(const std::string& policy, const std::string& key, std::uint32_t seconds) = 0;
};

}  // namespace postern::policy::worker
