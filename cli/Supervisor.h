#pragma once
#include "cli/Context.h"

namespace postern::cli {

// `postern run`: starts the gateway, listd and the web UI of the site and keeps them running: one that dies is started
// again, at once the first time and then with growing pauses. SIGTERM and SIGINT stop all of them in order.
Exit runSite(const Context& context);

}  // namespace postern::cli
