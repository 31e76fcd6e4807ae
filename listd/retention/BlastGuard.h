#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/orders/OrderTools.h"
#include "listd/requests/Requests.h"
#include "listd/retention/DestructionGate.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::listd {

// What people have destroyed by an order of their own, reviews and erasure, has the blast limit of a run: with what
// such orders destroyed in the last 24 hours it stays below, or a second person allows it. (What a person's delete
// destroys is part of a run, and counted there.)
struct WantedDisposal {
  DestructionCaller caller = DestructionCaller::Review;
  std::vector<DestructionGate::Target> targets;
  std::string title;   // one sentence for the approver; "%" is how many messages would go
  std::string reason;  // what the person typed
  std::string person;  // whom it is about; empty: nobody
};

// In the caller's transaction: the request that was made, or nothing when it is not over the limit.
std::optional<Request> askWhenTooMany(OrderTools& tools, SiteTables& tables, const OrderCall& call,
                                      const WantedDisposal& wanted);

// Approved requests are carried out by the job "retention.dispose", which asks the gate as ever.
void addDisposalRequests(Requests& requests);
void addDisposalJob(JobRunner& jobs, SiteContext& context, DestructionGate& gate, const ContentAnswers* answers);

}  // namespace postern::listd
