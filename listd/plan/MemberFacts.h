#pragma once
#include "core/base/Clock.h"
#include "listd/plan/Decision.h"
#include "listd/site/SiteStore.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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

// The domains of the site's own people: the sender domains of all relays.
std::vector<std::string> ownDomainsOf(const SiteTables& tables);

// One recipient of domain mail. The site's own domains and those that it trusts get it directly: by verified TLS before
// all else, where the floor allows that. One that was never asked is tried, since each connection is judged anyway, and
// the copy is planned anew where the servers prove nothing in time.
Decision decideOutbound(const SiteTables& tables, LadderRules rules, std::string_view address,
                        std::span<const std::string> ownDomains, TimePoint now);

}  // namespace postern::listd
