#include "webadmin/pages/Pages.h"

namespace postern::webadmin::pages {

// Where the help link of a refusal leads: read by people who have no account, so it says nothing about this site.
Response help(Visit& visit) {
  return visit.page("help", {"Help with secure mail", ""}, nlohmann::json::object());
}

}  // namespace postern::webadmin::pages
