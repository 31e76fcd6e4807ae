#pragma once
#include "core/base/Secret.h"

#include <cstddef>
#include <string>

// Bytes from the system's cryptographic generator. Errors: throw Error(Crypto) if it fails. Threads: safe for all.
namespace postern::crypto {

std::string randomBytes(std::size_t count);
Secret randomSecret(std::size_t count);

// A token that cannot be guessed, base64url: 43 characters for 32 bytes.
std::string randomToken(std::size_t byteCount = 32);

}  // namespace postern::crypto
