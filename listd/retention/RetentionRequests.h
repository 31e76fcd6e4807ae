#pragma once
#include "listd/orders/OrderTools.h"
#include "listd/requests/Requests.h"
#include "listd/retention/Assessment.h"

namespace postern::listd {

// A change of the rules that a second person must approve.
struct RuleChange {
  RuleDraft draft;
  std::string reason;
  nlohmann::json before;
  nlohmann::json after;
  nlohmann::json whatIf;
};
// {"rule": …, "id": …}, {"remove": id}, {"releaseHold": id, "graceDays": n} or null
nlohmann::json draftJson(const RuleDraft& draft);
// The stored what-if that "whatIf" names, for the request: it must be about this very change, and fresh.
nlohmann::json whatIfFor(SiteTables& tables, const Args& args, const RuleDraft& draft, TimePoint now);

// Each makes a request in the caller's transaction and gives the view of it.
nlohmann::json requestRuleChange(OrderTools& tools, SiteTables& tables, const OrderCall& call,
                                 const RuleChange& change);
nlohmann::json requestRun(OrderTools& tools, SiteTables& tables, const OrderCall& call, TimePoint at,
                          std::uint64_t wanted);
// A scheduled run that stopped at the blast limit asks a second person by itself, once. Called each minute, outside of
// a transaction.
void askForStoppedRun(OrderTools& tools);
nlohmann::json requestTrustClock(OrderTools& tools, SiteTables& tables, const OrderCall& call,
                                 const std::string& reason);
nlohmann::json requestEvent(OrderTools& tools, SiteTables& tables, const OrderCall& call, const RetentionEvent& event);
nlohmann::json requestLabel(OrderTools& tools, SiteTables& tables, const OrderCall& call, std::uint64_t object,
                            const std::string& label, const std::string& reason);
nlohmann::json requestUnlabel(OrderTools& tools, SiteTables& tables, const OrderCall& call, std::uint64_t object,
                              const std::string& label, const std::string& reason);

// rule.change, retention.run, clock.trust, object.unlabel.
void addRetentionRequests(Requests& requests);

}  // namespace postern::listd
