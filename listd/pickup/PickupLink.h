#pragma once
#include "core/base/Clock.h"
#include "core/vault/RootKey.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// The token of a link that proves a mailbox: bound by a MAC to what it is for, to the address that it was mailed to and
// to the time it was made. It is good once, for the latest link of its item or address only, which the store says.
struct PickupToken {
  enum class Kind : std::uint8_t {
    Item = 1,   // in an envelope mail; id: the item
    Asked = 2,  // somebody asked for it; id: that of pickup_links
  };
  Kind kind = Kind::Item;
  std::uint64_t id = 0;
  TimePoint issuedAt;
};

std::string makePickupToken(const vault::RootKey& root, const PickupToken& token, std::string_view address);
// What a token claims; nothing when it cannot be one.
std::optional<PickupToken> readPickupToken(std::string_view text);
bool isPickupToken(const vault::RootKey& root, const PickupToken& token, std::string_view address,
                   std::string_view text);

inline constexpr std::string_view PickupLinkPath = "/pickup/open";

}  // namespace postern::listd
