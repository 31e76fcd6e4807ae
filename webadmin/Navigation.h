#pragma once
#include "webadmin/Visit.h"

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace postern::webadmin {

// The main navigation for the person who is signed in: only what their roles may open, with the number of requests and
// reviews that they can decide. [{"path", "title", "icon", "current", "waiting"}]. An order that fails leaves the
// number out: the navigation stands on the error page too.
nlohmann::json navigation(const Visit& visit, std::string_view section);

}  // namespace postern::webadmin
