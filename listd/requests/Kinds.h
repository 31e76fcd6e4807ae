#pragma once
#include "listd/requests/Requests.h"

namespace postern::listd {

// The kinds of requests, by subject; each is added by the constructor of Requests.
void addHoldRequests(Requests& requests);

}  // namespace postern::listd
