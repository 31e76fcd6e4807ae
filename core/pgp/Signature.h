#pragma once
#include "core/pgp/Opening.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::pgp {

// The verdict on `signatures` (whole packets) over `content`, by the keys given.
SignatureVerdict verifyPackets(std::string_view content, std::span<const std::string> signatures,
                               std::span<const PublicKey> signers, TimePoint now);

}  // namespace postern::pgp
