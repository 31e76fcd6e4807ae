#pragma once
#include "webadmin/Visit.h"

namespace postern::webadmin::pages {

// DkimPage.cpp: the keys that sign what leaves.
Response dkimKeys(Visit& visit);
Response addDkimKey(Visit& visit);
Response rotateDkimKeys(Visit& visit);
Response checkDkimKeys(Visit& visit);

}  // namespace postern::webadmin::pages
