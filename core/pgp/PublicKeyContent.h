#pragma once
#include "core/pgp/KeyPacket.h"
#include "core/pgp/PublicKey.h"

#include <string>
#include <vector>

namespace postern::pgp {

// What the packet walk found: for this room only.
struct PublicKeyContent {
  std::string bytes;
  std::string fingerprint;       // hex
  std::vector<KeyPacket> parts;  // the primary key first; those that librnp does not see too
};

struct PublicKey::Content : PublicKeyContent {
  explicit Content(PublicKeyContent content) : PublicKeyContent(std::move(content)) {}
};

}  // namespace postern::pgp
