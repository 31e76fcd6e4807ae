#include "core/hops/Provider.h"

#include "core/mail/Text.h"

#include <arpa/inet.h>
#include <libpsl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

namespace postern::hops {
namespace {

// Names under which one provider's mail servers show themselves.
constexpr std::array Microsoft{"outlook.com", "hotmail.com", "live.com", "office365.com", "microsoft.com"};
constexpr std::array Google{"google.com", "gmail.com", "googlemail.com"};
constexpr std::array Yahoo{"yahoo.com", "yahoodns.net"};
constexpr std::array Proofpoint{"pphosted.com", "ppe-hosted.com", "proofpoint.com"};

bool areBothIn(std::span<const char* const> names, std::string_view left, std::string_view right) {
  const auto has = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return has(left) && has(right);
}

bool isUnder(std::string_view host, std::string_view domain) {
  return host == domain ||
         (host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

struct IpAddress {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 0;
};

std::optional<IpAddress> parseIp(std::string_view text) {
  const std::string copy(text);
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
    return address;
  }
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.size = 16;
  // ::ffff:192.0.2.1 and 6to4's 2002:V4: what counts is the IPv4 address in them.
  constexpr std::array<unsigned char, 12> Mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto takeV4 = [&](std::size_t from) {
    std::array<unsigned char, 16> v4{};
    std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(from), 4, v4.begin());
    address = {v4, 4};
  };
  if (std::equal(Mapped.begin(), Mapped.end(), address.bytes.begin()))
    takeV4(12);
  else if (address.bytes[0] == 0x20 && address.bytes[1] == 0x02)
    takeV4(2);
  return address;
}

}  // namespace

std::string registrableDomain(std::string_view host) {
  auto name = mail::lowerAscii(host);
  while (name.ends_with('.')) name.pop_back();
  if (parseIp(name)) return name;
  const auto* const domain = psl_registrable_domain(psl_builtin(), name.c_str());
  return domain == nullptr ? name : std::string(domain);
}

bool isOneProvider(std::string_view left, std::string_view right, const std::vector<std::string>& ownDomains) {
  if (left.empty() || right.empty()) return false;
  if (left == right) return true;
  const auto isOwn = [&](std::string_view host) {
    return std::any_of(ownDomains.begin(), ownDomains.end(), [&](const auto& own) { return isUnder(host, own); });
  };
  return (isOwn(left) && isOwn(right)) || areBothIn(Microsoft, left, right) || areBothIn(Google, left, right) ||
         areBothIn(Yahoo, left, right) || areBothIn(Proofpoint, left, right);
}

bool isIpAddress(std::string_view text) {
  return parseIp(text).has_value();
}

bool isLocalAddress(std::string_view address) {
  const auto ip = parseIp(address);
  if (!ip) return false;
  const auto& b = ip->bytes;
  if (ip->size == 4)
    return b[0] == 10 || b[0] == 127 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
           (b[0] == 169 && b[1] == 254);
  const bool loopback = b[15] == 1 && std::all_of(b.begin(), b.end() - 1, [](auto byte) { return byte == 0; });
  return loopback || (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
}

bool areNeighbours(std::string_view left, std::string_view right) {
  const auto a = parseIp(left);
  const auto b = parseIp(right);
  if (!a || !b || a->size != b->size) return false;
  return std::memcmp(a->bytes.data(), b->bytes.data(), a->size == 4 ? 3 : 6) == 0;
}

}  // namespace postern::hops
