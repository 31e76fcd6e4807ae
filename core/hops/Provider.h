#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace postern::hops {

// The registrable domain of a host name by the public suffix list, in lower case: "mx1.firm.co.uk" -> "firm.co.uk".
// The name itself, when it has none ("localhost", a bare label, an address).
std::string registrableDomain(std::string_view host);

// Whether two registrable domains are known to be run by one provider: equal, or names of one large provider.
bool isOneProvider(std::string_view left, std::string_view right, const std::vector<std::string>& ownDomains);

bool isIpAddress(std::string_view text);

// Loopback, private and link-local addresses (RFC 1918, RFC 4193, …): they never leave an organisation's own network.
bool isLocalAddress(std::string_view address);

// Whether two addresses are so near (IPv4 /24, IPv6 /48) that they are one provider's.
bool areNeighbours(std::string_view left, std::string_view right);

}  // namespace postern::hops
