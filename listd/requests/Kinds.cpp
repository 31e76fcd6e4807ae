#include "listd/requests/Kinds.h"

#include "listd/people/AccountRequests.h"
#include "listd/retention/RetentionRequests.h"

namespace postern::listd {

// Each subject adds its kinds here, by one line.
Requests::Requests() {
  addHoldRequests(*this);
  addRetentionRequests(*this);
  addAccountRequests(*this);
}

}  // namespace postern::listd
