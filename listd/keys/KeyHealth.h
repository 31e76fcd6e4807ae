#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/keys/RevocationCheck.h"

#include <thread>

namespace postern::listd {

constexpr std::string_view CheckKeys = "keys.check";

// "keys.check" {"list": address or ""}: looks at every key on file anew (chain, form, revocation), writes what changed
// and how the members stand, reminds members whose key ends, and owners of what waits. One scan of the keys; a look
// that was killed starts over, and no mail is sent twice.
void addKeyHealth(JobRunner& jobs, SiteContext& context, const GatewayAddress& address);

nlohmann::json checkAllKeys(JobContext& job, SiteContext& context, FetchDocument fetch);

// Members whose key ends in 30, 14 and 3 days get a mail, one for each step. How many were sent.
std::uint64_t remindOfEnds(SiteContext& context);
// Owners with an address get the numbers of their lists, once a week, when there is something. How many were sent.
std::uint64_t remindOwners(SiteContext& context);

// Starts the look each night at two (UTC), and soon where certificates wait for the first word of their issuer.
class KeyHealthSchedule {
public:
  KeyHealthSchedule(SiteContext& context, JobRunner& jobs);
  void minute();

private:
  SiteContext& context_;
  JobRunner& jobs_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
