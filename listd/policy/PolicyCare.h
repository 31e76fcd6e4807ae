#pragma once
#include "core/base/Mutex.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <atomic>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace postern::listd {

// Asks the gateway about policies (gateway/policy/PolicyDesk.h): action, request as JSON, a message or nothing.
using AskPolicies =
    std::function<std::string(std::string_view action, std::string_view request, std::string_view submission)>;

// Over a connection of its own, so that nothing else waits for the cases of a set. Throws Error(Unavailable).
AskPolicies askPoliciesByGateway(const GatewayAddress& address);

// The answer to a question: what the gateway says, with nothing in it that a terminal would obey. Refuses the order
// where the gateway cannot be asked or does not take the question.
nlohmann::json askPolicies(const AskPolicies& ask, std::string_view action, const nlohmann::json& request,
                           std::string_view submission = {});

// Brings the gateway to what the store says: the set in force, the site's sets, the shadow. Where the store has no set
// yet, takes over the gateway's, which is that of the folder. Throws Error.
void syncPolicies(SiteContext& context, const AskPolicies& ask);

// What orders on policies work with. Threads: safe for all.
struct PolicyCare {
  AskPolicies ask;
  Mutex changing;                    // one change of what is in force at a time, with its way to the gateway
  std::atomic<bool> behind = false;  // the gateway did not take a change: it is brought to it within a minute
};

// Once a minute: tries again what the gateway did not take.
void lookAfterPolicies(SiteContext& context, PolicyCare& care);

// {"files": …} of a stored set, and the site's sets as the gateway takes them.
nlohmann::json filesOf(const PolicyRevision& revision);
nlohmann::json valuesOf(SiteTables& tables);

// SHA-256 in hexadecimal of JSON.
std::string digestOf(const nlohmann::json& value);

}  // namespace postern::listd
