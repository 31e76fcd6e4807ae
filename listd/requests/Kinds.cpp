#include "listd/requests/Kinds.h"

#include "listd/retention/RetentionRequests.h"

namespace postern::listd {

// Each subject adds its kinds here, by one line.
Requests::Requests() {
  addHoldRequests(*this);
  addRetentionRequests(*this);
}

}  // namespace postern::listd
