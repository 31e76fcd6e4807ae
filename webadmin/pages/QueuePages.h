#pragma once
#include "webadmin/Visit.h"

namespace postern::webadmin::pages {

// QueueCopyPage.cpp, beside what Pages.h names: a copy by its number, or a message by its trace id with the copies that
// wait.
Response queuedCopy(Visit& visit);
Response actOnQueued(Visit& visit);

// DestinationsPage.cpp
Response destinations(Visit& visit);
Response actOnDestination(Visit& visit);

}  // namespace postern::webadmin::pages
