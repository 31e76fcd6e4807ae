#include "core/pgp/PublicKey.h"

#include "core/crypto/Certificate.h"
#include "core/crypto/Encoding.h"
#include "core/pgp/Armor.h"
#include "core/pgp/KeyPacket.h"
#include "core/pgp/Packets.h"
#include "core/pgp/PublicKeyContent.h"

#include <set>

namespace postern::pgp {

namespace {

constexpr std::size_t MaxUserId = 2048;
constexpr std::string_view ArmorType = "PUBLIC KEY BLOCK";

KeyError error(const char* code, std::string message) {
  return {code, std::move(message)};
}

// Reads the packets of one key and keeps what serves us.
class KeyScan {
public:
  Result<PublicKeyContent, KeyError> scan(std::string_view bytes) {
    PacketReader reader(bytes);
    std::size_t count = 0;
    while (const auto packet = reader.next()) {
      if (++count > PublicKey::MaxPackets) return Unexpected(error("too-complex", "the key has too many parts"));
      if (auto problem = take(*packet)) return Unexpected(std::move(*problem));
    }
    if (reader.malformed()) return Unexpected(error("malformed", "the key is damaged or cut off"));
    if (content_.parts.empty()) return Unexpected(error("malformed", "there is no OpenPGP public key in it"));
    return std::move(content_);
  }

private:
  std::optional<KeyError> take(const Packet& packet) {
    switch (packet.tag) {
      case PacketTag::SecretKey:
      case PacketTag::SecretSubkey:
        return error("private-key", "this is a private key: never send it to anybody; send the public key");
      case PacketTag::PublicKey:
        if (!content_.parts.empty()) return error("several", "there is more than one key in it");
        return takePrimary(packet);
      default:
        break;
    }
    if (content_.parts.empty() && packet.tag != PacketTag::Marker)
      return error("malformed", "this is not an OpenPGP public key");
    switch (packet.tag) {
      case PacketTag::UserId:
        return takeUserId(packet);
      case PacketTag::PublicSubkey:
        return takeSubkey(packet);
      case PacketTag::Signature:
        return takeSignature(packet);
      case PacketTag::UserAttribute:  // a photograph: its signatures go with it
        keeping_ = false;
        return std::nullopt;
      case PacketTag::Marker:
      case PacketTag::Trust:
      case PacketTag::Padding:
        return std::nullopt;
      default:
        if (static_cast<unsigned>(packet.tag) >= 40) return std::nullopt;  // RFC 9580 §4.3: not critical
        return error("malformed", "there is something in the key that does not belong there");
    }
  }

  std::optional<KeyError> takePrimary(const Packet& packet) {
    auto key = readKeyPacket(packet.body);
    if (!key) return error("malformed", "the key is damaged, or its numbers are too large");
    if (key->version != 4)
      return error("unsupported-version", "the key has OpenPGP " + key->name + ": version 4 is what Postern reads");
    if (key->publicSize != packet.body.size()) return error("malformed", "the key is damaged");
    if (!key->supported || key->algorithm == 18)
      return error("unsupported-algorithm", "the key is " + key->name + ": Postern cannot verify it");
    keep(packet);
    content_.parts.push_back(std::move(*key));
    return std::nullopt;
  }

  std::optional<KeyError> takeSubkey(const Packet& packet) {
    if (content_.parts.size() >= PublicKey::MaxParts) return error("too-complex", "the key has too many subkeys");
    auto key = readKeyPacket(packet.body);
    if (!key) return error("malformed", "a subkey is damaged, or its numbers are too large");
    if (key->version == 4 && key->publicSize != packet.body.size()) key->supported = false;
    keeping_ = key->supported;
    if (keeping_) keep(packet);
    content_.parts.push_back(std::move(*key));
    return std::nullopt;
  }

  std::optional<KeyError> takeUserId(const Packet& packet) {
    if (packet.body.size() > MaxUserId || ++userIds_ > PublicKey::MaxUserIds)
      return error("too-complex", "the key has too many user ids, or one that is too long");
    keeping_ = true;
    keep(packet);
    return std::nullopt;
  }

  // Signatures of others say nothing to us and would cost the most to check.
  std::optional<KeyError> takeSignature(const Packet& packet) {
    if (!keeping_) return std::nullopt;
    const auto issuer = signatureIssuer(packet.body);
    if (!issuer || *issuer != content_.parts.front().keyId()) return std::nullopt;
    // librnp takes a signature that stands twice for one, and judges it by one of the places.
    if (!seen_.insert(packet.body).second) return std::nullopt;
    if (seen_.size() > PublicKey::MaxOwnSignatures) return error("too-complex", "the key has too many signatures");
    keep(packet);
    return std::nullopt;
  }

  void keep(const Packet& packet) {
    content_.bytes.append(packetHeader(packet.tag, packet.body.size())).append(packet.body);
  }

  PublicKeyContent content_;
  bool keeping_ = true;
  std::size_t userIds_ = 0;
  std::set<std::string_view> seen_;  // signatures, as they stand in the bytes read
};

}  // namespace

const char* stateName(KeyState state) {
  switch (state) {
    case KeyState::Valid:
      return "valid";
    case KeyState::Expired:
      return "expired";
    case KeyState::NotYetValid:
      return "not-yet-valid";
    case KeyState::WrongAddress:
      return "wrong-address";
    case KeyState::WrongUsage:
      return "wrong-usage";
    case KeyState::WeakKey:
      return "weak-key";
    case KeyState::Untrusted:
      return "untrusted";
    case KeyState::Revoked:
      return "revoked";
    case KeyState::Unsupported:
      break;
  }
  return "unsupported";
}

Result<PublicKey, KeyError> PublicKey::parse(std::string_view text) {
  if (text.size() > MaxText) return Unexpected(error("too-large", "the key is too large"));
  std::string bytes;
  if (!text.empty() && (static_cast<unsigned char>(text[0]) & 0x80) != 0) {
    bytes = text;
  } else {
    if (text.find("-----BEGIN PGP PRIVATE KEY") != std::string_view::npos)
      return Unexpected(error("private-key", "this is a private key: never send it to anybody; send the public key"));
    auto decoded = dearmor(ArmorType, text, false);
    if (!decoded) return Unexpected(error("malformed", "there is not exactly one whole OpenPGP public key in it"));
    bytes = std::move(*decoded);
  }
  auto content = KeyScan().scan(bytes);
  if (!content) return Unexpected(std::move(content).error());
  content->fingerprint = crypto::hex(content->parts.front().fingerprint);
  return PublicKey(std::make_shared<const Content>(Content{std::move(*content)}));
}

const std::string& PublicKey::bytes() const {
  return content_->bytes;
}
std::string PublicKey::armored() const {
  return armor(ArmorType, content_->bytes);
}
const std::string& PublicKey::fingerprint() const {
  return content_->fingerprint;
}

bool KeyReport::hasAddress(std::string_view address) const {
  return std::any_of(userIds.begin(), userIds.end(), [&](const UserIdReport& id) {
    return id.state == KeyState::Valid && !id.address.empty() && crypto::sameAddress(id.address, address);
  });
}

KeyCheck check(const KeyReport& report, std::string_view address) {
  if (!report.valid()) return {report.state, report.detail};
  if (report.hasAddress(address)) return {KeyState::Valid, ""};
  return {KeyState::WrongAddress, "the key has no valid user id with the address " + std::string(address)};
}

KeyCheck check(const PublicKey& key, std::string_view address, TimePoint now) {
  return check(key.inspect(now), address);
}

}  // namespace postern::pgp
