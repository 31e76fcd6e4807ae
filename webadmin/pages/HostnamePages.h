#pragma once
#include "webadmin/Visit.h"

namespace postern::webadmin::pages {

// HostnamePage.cpp: the other names of this server, and who still uses them.
Response hostnames(Visit& visit);
Response hostname(Visit& visit);

}  // namespace postern::webadmin::pages
