#include "core/net/IpRange.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace postern::net {
namespace {

struct Ip {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};
};

std::optional<Ip> parseIp(std::string_view text) {
  const std::string whole(text);
  if (whole.find('\0') != std::string::npos) return std::nullopt;
  Ip ip;
  if (inet_pton(AF_INET, whole.c_str(), ip.bytes.data()) == 1) return ip;
  ip.v6 = true;
  if (inet_pton(AF_INET6, whole.c_str(), ip.bytes.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> Mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(Mapped.begin(), Mapped.end(), ip.bytes.begin())) return ip;
  Ip inner;
  std::copy(ip.bytes.begin() + 12, ip.bytes.end(), inner.bytes.begin());
  return inner;
}

bool samePrefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool endsWithZeros(const std::array<std::uint8_t, 16>& bytes, unsigned prefix) {
  for (unsigned bit = prefix; bit < 128; ++bit)
    if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
  return true;
}

}  // namespace

std::optional<IpRange> IpRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = parseIp(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const unsigned bits = ip->v6 ? 128 : 32;
  unsigned prefix = bits;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, prefix);
    if (error != std::errc() || rest != end || prefix > bits) return std::nullopt;
    if (!ip->v6 && text.find(':') != std::string_view::npos) return std::nullopt;  // a mapped form has two meanings
  }
  if (!endsWithZeros(ip->bytes, prefix)) return std::nullopt;
  IpRange range;
  range.v6_ = ip->v6;
  range.prefix_ = static_cast<std::uint8_t>(prefix);
  range.bytes_ = ip->bytes;
  return range;
}

bool IpRange::contains(std::string_view address) const {
  const auto ip = parseIp(address);
  return ip && ip->v6 == v6_ && samePrefix(ip->bytes, bytes_, prefix_);
}

std::string IpRange::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), buffer.data(), buffer.size());
  return std::string(buffer.data()) + "/" + std::to_string(prefix_);
}

}  // namespace postern::net
