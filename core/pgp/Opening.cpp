#include "core/pgp/Opening.h"

#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "core/pgp/Armor.h"
#include "core/pgp/Data.h"
#include "core/pgp/MultipartSplit.h"
#include "core/pgp/Packets.h"
#include "core/pgp/Signature.h"

namespace postern::pgp {

namespace {

constexpr std::size_t MaxSessionKeys = 2000;
constexpr std::string_view Message = "MESSAGE";

std::optional<std::string> armored(const Entity& entity) {
  if (entity.encoding == "7bit" || entity.encoding == "8bit" || entity.encoding == "binary")
    return dearmor(Message, entity.body, true);
  if (entity.encoding != "base64") return std::nullopt;
  const auto text = crypto::fromBase64(entity.body);
  return text ? dearmor(Message, *text, true) : std::nullopt;
}

// RFC 3156 §4: two parts, the version and the message.
std::optional<std::string> messageOf(const Entity& entity) {
  if (entity.type.parameter("protocol") != "application/pgp-encrypted") return std::nullopt;
  const auto parts = splitMultipart(entity);
  if (!parts || parts->size() != 2) return std::nullopt;
  const auto version = readEntity((*parts)[0]);
  const auto content = readEntity((*parts)[1]);
  if (!version || !content || version->type.name != "application/pgp-encrypted" ||
      mail::trim(version->body) != "Version: 1" || content->type.name != "application/octet-stream")
    return std::nullopt;
  return armored(*content);
}

// One or more session keys, one integrity protected data packet, and that is all.
std::optional<std::string> decrypted(std::string_view bytes, std::span<const SecretKey> keys) {
  PacketReader reader(bytes);
  std::optional<SessionKey> sessionKey;
  std::size_t count = 0;
  while (const auto packet = reader.next()) {
    if (packet->tag == PacketTag::Marker) continue;
    if (packet->tag == PacketTag::Pkesk) {
      if (++count > MaxSessionKeys) return std::nullopt;
      for (const auto& key : keys)
        if (!sessionKey) sessionKey = unwrapSessionKey(packet->body, key);
      continue;
    }
    if (packet->tag != PacketTag::Seipd || !sessionKey) return std::nullopt;
    const std::string body(packet->body);
    if (reader.next() || reader.malformed()) return std::nullopt;
    return decryptData(body, *sessionKey);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Opened> open(std::string_view message, std::span<const SecretKey> keys,
                           std::span<const PublicKey> signers, TimePoint now, const OpenLimits& limits) {
  if (message.size() > limits.maxMessage) return std::nullopt;
  const auto entity = readEntity(message);
  if (!entity) return std::nullopt;
  Opened opened;
  opened.isEntity = entity->type.name == "multipart/encrypted";
  if (!opened.isEntity && entity->type.name != "text/plain") return std::nullopt;
  const auto bytes = opened.isEntity ? messageOf(*entity) : armored(*entity);
  if (!bytes) return std::nullopt;
  const auto packets = decrypted(*bytes, keys);
  if (!packets) return std::nullopt;
  auto contents = readContents(*packets, limits.maxContent);
  if (!contents) return std::nullopt;
  opened.content = std::move(contents->literal);
  if (!contents->inOrder)
    opened.signature.state = SignatureState::Invalid;
  else if (!contents->signatures.empty())
    opened.signature = verifyPackets(opened.content, contents->signatures, signers, now);
  else if (opened.isEntity)
    opened.signature = verifySigned(opened.content, signers, now);
  return opened;
}

}  // namespace postern::pgp
