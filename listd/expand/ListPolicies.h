#pragma once
#include "core/app/PolicyLink.h"
#include "listd/plan/PlanWriter.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace postern::listd {

class SiteContext;

// Asks the gateway's policies about posts and members. The gateway says with the messages that it hands out which of
// these hooks a policy has; nobody is asked about others, and until it has said so all are asked.
// Threads: safe for all; calls block for as long as policies may take. Errors: Error(Unavailable) where the policies
// fail or cannot be asked: nothing may be planned then.
class ListPolicies {
public:
  // From now on `context` asks here. To be made before anything is taken in, and to outlive that.
  ListPolicies(SiteContext& context, std::string gatewaySocket);
  ListPolicies(const ListPolicies&) = delete;
  ListPolicies& operator=(const ListPolicies&) = delete;

  void setActive(std::uint16_t hooks) { active_ = hooks; }
  bool asks(std::uint16_t hook) const { return (active_ & hook) != 0; }

  // Pass, Reject, Hold or Discard.
  app::PostAnswer post(const app::PostQuestion& question) const;
  // In batches, so that a large list costs few round trips.
  MemberFloors members(const app::PostQuestion& question, const std::vector<std::string>& members) const;

private:
  const std::string socket_;
  std::atomic<std::uint16_t> active_{app::ListHook::All};
};

}  // namespace postern::listd
