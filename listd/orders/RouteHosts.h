#pragma once
#include <string>

namespace postern::listd {

// Refuses what is no "HOST[:PORT]", or several with commas between. An IPv6 address with a port is in [].
void checkRouteHosts(const std::string& hosts);

}  // namespace postern::listd
