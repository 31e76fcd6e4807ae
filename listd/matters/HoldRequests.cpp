#include "listd/requests/Kinds.h"

namespace postern::listd {
void addHoldRequests(Requests&) {}
}  // namespace postern::listd
