#include "listd/requests/Kinds.h"

namespace postern::listd {

// Each subject adds its kinds here, by one line.
Requests::Requests() {
  addHoldRequests(*this);
}

}  // namespace postern::listd
