#pragma once
#include "core/policy/PolicySet.h"

#include <filesystem>
#include <optional>
#include <string>

namespace postern::gateway {

using PolicyValues = policy::SiteSets;

// What listd told the gateway to judge by: the texts of the policy set in force and the site's sets.
struct KeptPolicies {
  std::optional<policy::SetTexts> texts;  // nothing: those of the folder, as on the first start
  PolicyValues values;
};

// DATA/gateway/policies.bin: so that a restart keeps what is in force, also while listd is away.
// Threads: one at a time. Errors: read() throws Error(Malformed) when the file is damaged; write() Error(Io, DiskFull).
class PolicyFile {
public:
  explicit PolicyFile(std::filesystem::path path) : path_(std::move(path)) {}

  KeptPolicies read() const;
  // A damaged file is a set that is none: mail is deferred until listd brings one, and never judged by another.
  KeptPolicies readOrNone() const;
  void write(const KeptPolicies& kept) const;

private:
  std::filesystem::path path_;
};

}  // namespace postern::gateway
