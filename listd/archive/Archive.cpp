#include "listd/archive/Archive.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

namespace postern::listd {

std::optional<std::string> Archive::open(std::uint64_t objectId) const {
  const auto object = context_.site.read([&](SiteTables& tables) { return tables.archive.find(objectId); });
  if (!object || object->state == ObjectState::Destroyed) return std::nullopt;
  return context_.vault.get(objectId);
}

Archive::Proof Archive::verify(const StoredObject& object) const {
  Proof proof{crypto::hex(object.digest), false, {}};
  try {  // the boundary of a check: a content that does not open is the answer, not a fault of the order
    const auto content = object.state == ObjectState::Destroyed ? std::nullopt : context_.vault.get(object.id);
    if (!content)
      proof.words = "the content is destroyed";
    else if (object.digest.empty())
      proof.words = "the content opens, but no digest was noted when it came";
    else if (crypto::sha256(*content) != object.digest)
      proof.words = "the content opens, but is not what was received";
    else
      proof.ok = true;
  } catch (const Error& error) {
    proof.words = "the content does not open: " + error.message();
  }
  return proof;
}

}  // namespace postern::listd
