#pragma once
#include <cstdint>
#include <string>
#include <utility>

struct sockaddr_storage;

// Addresses of sockets as text. An IPv4 address that is mapped into IPv6 is the IPv4 address.
namespace postern::gateway {

// The address, and what limits count by: an IPv6 client has a whole /64.
std::pair<std::string, std::string> describe(const sockaddr_storage& from);
// What limits count a client by whose address somebody else names.
std::string limitKeyOf(const std::string& address);
// Our side of a socket.
std::string localAddressOf(int socket);
std::uint16_t portOf(int socket);

}  // namespace postern::gateway
