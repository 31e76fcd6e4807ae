#pragma once
#include "core/base/Clock.h"
#include "core/base/Secret.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Time-based one-time passwords, RFC 6238: SHA-1, 6 digits, steps of 30 s.
namespace postern::crypto {

Secret makeTotpSecret();  // 20 random bytes; shown to the person as base32

std::string totpCode(const Secret& secret, TimePoint at);

// The step whose code this is, of the present one and its neighbours; nothing if none. A step not after `lastStep`
// (the one stored with the account; 0: none) never matches, so that a code works once. Store the returned step.
std::optional<std::uint64_t> checkTotp(const Secret& secret, std::string_view code, TimePoint now,
                                       std::uint64_t lastStep);

// "otpauth://totp/Postern:alice?secret=…&issuer=Postern", for the QR code.
std::string totpUri(std::string_view issuer, std::string_view account, const Secret& secret);

}  // namespace postern::crypto
