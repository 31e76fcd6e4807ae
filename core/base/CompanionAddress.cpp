#include "core/base/CompanionAddress.h"

#include <arpa/inet.h>

#include <charconv>

namespace postern {
namespace {

constexpr std::string_view SocketPrefix = "unix:";
constexpr std::size_t LongestPath = 107;  // sun_path

bool isLoopback(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return host.starts_with("127.");
  return host == "::1";
}

}  // namespace

std::optional<CompanionAddress> CompanionAddress::parse(std::string_view text) {
  CompanionAddress address;
  if (text.starts_with(SocketPrefix)) {
    address.path = text.substr(SocketPrefix.size());
    if (!address.path.starts_with('/') || address.path.size() > LongestPath) return std::nullopt;
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  const auto port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  const bool isNumber = error == std::errc() && end == port.data() + port.size() && address.port != 0;
  if (!isNumber || !isLoopback(address.host)) return std::nullopt;
  return address;
}

std::string CompanionAddress::text() const {
  if (isSocketFile()) return std::string(SocketPrefix) + path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace postern
