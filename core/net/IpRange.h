#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::net {

// Addresses that share a prefix: "192.0.2.0/24", "2001:db8::/32", or one address. Invariant: no bit behind the prefix
// is set. Immutable; safe for all threads.
class IpRange {
public:
  // Nothing for what is no range, also for one with bits behind its prefix, since that is a typing error.
  static std::optional<IpRange> parse(std::string_view text);

  // An IPv4 address that is mapped into IPv6 is the IPv4 address. False for what is no address.
  bool contains(std::string_view address) const;
  bool isEverybody() const { return prefix_ == 0; }
  std::string text() const;  // one form for one range

private:
  bool v6_ = false;
  std::uint8_t prefix_ = 0;
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace postern::net
