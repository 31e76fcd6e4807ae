#pragma once
#include "core/app/GatewayLink.h"
#include "listd/site/SiteContext.h"

namespace postern::listd {

// What the gateway may know of the site as it is now: addresses, flags and routes, never a roster. A closed list is not
// in it, so that mail to it is refused at the door.
app::RoutingView buildRoutingView(SiteContext& context);

}  // namespace postern::listd
