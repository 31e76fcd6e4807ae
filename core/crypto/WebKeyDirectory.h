#pragma once
#include <string>
#include <string_view>

namespace postern::crypto {

// The name of an address in a Web Key Directory (draft-koch-openpgp-webkey-service §3.1): z-base-32 of the SHA-1 of the
// part before the @, its ASCII letters small. SHA-1 is a mere file name here; nothing rests on it.
std::string wkdName(std::string_view localPart);

}  // namespace postern::crypto
