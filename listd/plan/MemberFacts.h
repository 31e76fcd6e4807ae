#pragma once
#include "core/base/Clock.h"
#include "listd/plan/Decision.h"
#include "listd/site/SiteStore.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::listd {

// What of the domains of members counts for their plan, read by one scan. Threads: one. Errors: Error(Store).
class KnownDomains {
public:
  explicit KnownDomains(const DomainTlsStore& store);
  void describe(std::string_view address, MemberFacts& facts) const;

private:
  struct Known {
    bool verified = false;
    bool distrusted = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, Known, Hash, std::equal_to<>> domains_;
};

// The rules of the list for mail of its class, or of another one.
LadderRules rulesOf(const SiteTables& tables, const List& list);
LadderRules rulesOf(const SiteTables& tables, const List& list, std::string_view sensitivity);

// How one address stands, with what is on file for it now. For single members; a plan for all uses KnownDomains.
Decision decideFor(const SiteTables& tables, const LadderRules& rules, std::string_view address,
                   std::optional<app::Protection> wish, TimePoint now);

// One recipient of domain mail. A domain that the site trusts gets it directly where its TLS is verified and the floor
// allows that.
Decision decideOutbound(const SiteTables& tables, LadderRules rules, std::string_view address, TimePoint now);

}  // namespace postern::listd
