#pragma once
#include "core/vault/RootKey.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// Tokens of subscription: 24 characters of base32 in small letters, so that they fit a link and the local part of an
// address, whose letters mail servers may change. 10 octets of HMAC-SHA256 over purpose, number and what it is bound
// to, then the number (below 2^40) hidden by a second HMAC keyed by the first, so that a token tells neither order nor
// number of members. Without the site's key nobody can make one. Threads: safe for all.
constexpr std::size_t SubscribeTokenLength = 24;

std::string makeSubscribeToken(const vault::RootKey& root, std::string_view purpose, std::uint64_t number,
                               std::string_view bound);
// The number that a token claims to be of, letters in any case: look up what it is bound to, then check.
std::optional<std::uint64_t> numberOfSubscribeToken(const vault::RootKey& root, std::string_view token);
bool isSubscribeToken(const vault::RootKey& root, std::string_view purpose, std::string_view bound,
                      std::string_view token);

}  // namespace postern::listd
