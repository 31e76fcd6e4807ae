#include "gateway/smtp/SocketAddress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace postern::gateway {

// The address as text, and what limits count by: an IPv6 client has a whole /64.
std::pair<std::string, std::string> describe(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    return {text, text};
  }
  auto six = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    ::inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof text);
    return {text, text};
  }
  ::inet_ntop(AF_INET6, &six, text, sizeof text);
  const std::string address = text;
  std::fill(std::begin(six.s6_addr) + 8, std::end(six.s6_addr), 0);
  ::inet_ntop(AF_INET6, &six, text, sizeof text);
  return {address, std::string(text) + "/64"};
}

std::string localAddressOf(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return {};
  return describe(bound).first;
}

std::uint16_t portOf(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                          : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
}

// What limits count a client by whose address somebody else names.
std::string limitKeyOf(const std::string& address) {
  sockaddr_storage storage{};
  auto& four = reinterpret_cast<sockaddr_in&>(storage);
  auto& six = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1)
    storage.ss_family = AF_INET;
  else if (::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1)
    storage.ss_family = AF_INET6;
  else
    return address;
  return describe(storage).second;
}

}  // namespace postern::gateway
