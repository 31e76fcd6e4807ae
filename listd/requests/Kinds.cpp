#include "listd/requests/Kinds.h"

#include "listd/audit/AuditRequests.h"
#include "listd/people/AccountRequests.h"
#include "listd/retention/BlastGuard.h"
#include "listd/retention/RetentionRequests.h"

namespace postern::listd {

// Each subject adds its kinds here, by one line.
Requests::Requests() {
  addHoldRequests(*this);
  addRetentionRequests(*this);
  addAccountRequests(*this);
  addAuditRequests(*this);
  addDisposalRequests(*this);
}

}  // namespace postern::listd
