#pragma once
#include "listd/requests/Requests.h"

namespace postern::listd {

// Requests of kind "log.restore": a restore put the log back, and two people say so in it.
void addAuditRequests(Requests& requests);

}  // namespace postern::listd
