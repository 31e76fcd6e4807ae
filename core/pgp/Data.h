#pragma once
#include "core/base/Secret.h"
#include "core/pgp/SecretKey.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What open() is made of: each step gives nothing for anything that is not right.
namespace postern::pgp {

struct SessionKey {
  std::uint8_t cipher = 0;
  Secret key;
};

// The session key of a PKESK packet (version 3, ECDH on Curve25519) that is for a subkey of `key`.
std::optional<SessionKey> unwrapSessionKey(std::string_view pkeskBody, const SecretKey& key);

// The packets inside a SEIPD v1 packet, once all of it was found unchanged.
std::optional<std::string> decryptData(std::string_view seipdBody, const SessionKey& key);

// What the packets inside hold: one literal, compressed once at most, signed or not.
struct Contents {
  std::string literal;
  std::vector<std::string> signatures;  // whole packets
  bool inOrder = true;                  // one-pass packets and signatures match
};
std::optional<Contents> readContents(std::string_view packets, std::size_t most);

}  // namespace postern::pgp
