#pragma once
#include "core/vault/RootKey.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// Tokens in links of our mail: a number with a MAC over purpose, number and the person that it was made for. Without
// the site's key nobody can make one, and one for another purpose or person is not valid.
std::string makeMailToken(const vault::RootKey& root, std::string_view purpose, std::uint64_t id,
                          std::string_view person);
// The number that a token claims to be of: look up the person, then check.
std::optional<std::uint64_t> numberOfMailToken(std::string_view token);
bool isMailToken(const vault::RootKey& root, std::string_view purpose, std::string_view person, std::string_view token);

}  // namespace postern::listd
