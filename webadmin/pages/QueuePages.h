#pragma once
#include "webadmin/Visit.h"

namespace postern::webadmin::pages {

// QueuePage.cpp
Response queue(Visit& visit);
Response pauseQueue(Visit& visit);

// QueueCopyPage.cpp: a copy by its number, or a message by its trace id with the copies that wait.
Response queuedCopy(Visit& visit);
Response actOnQueued(Visit& visit);
Response confirmDrop(Visit& visit);
Response dropCopy(Visit& visit);

// DestinationsPage.cpp
Response destinations(Visit& visit);
Response actOnDestination(Visit& visit);

}  // namespace postern::webadmin::pages
