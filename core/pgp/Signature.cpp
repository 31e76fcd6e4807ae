#include "core/pgp/Signature.h"

#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "core/pgp/Armor.h"
#include "core/pgp/KeyPacket.h"
#include "core/pgp/MultipartSplit.h"
#include "core/pgp/Packets.h"
#include "core/pgp/Rnp.h"

namespace postern::pgp {

namespace {

using rnp::out;

constexpr std::size_t MaxSignatureText = 64 * 1024;
constexpr std::chrono::hours ClockSlack{1};

bool flagOf(rnp_result_t (*ask)(rnp_key_handle_t, bool*), const rnp::Key& key) {
  bool result = false;
  return ask(key.get(), &result) == RNP_SUCCESS && result;
}

std::string textOf(rnp_result_t (*ask)(rnp_key_handle_t, char**), const rnp::Key& key) {
  char* text = nullptr;
  if (ask(key.get(), &text) != RNP_SUCCESS || !text) return "";
  const rnp::Buffer owner(text);
  return mail::lowerAscii(text);
}

// Version 4, over a document or a text, by a digest that still binds (SHA-2).
bool isSupported(std::string_view packetBytes) {
  PacketReader reader(packetBytes);
  const auto packet = reader.next();
  if (!packet || packet->body.size() < 6 || !signatureIssuer(packet->body)) return false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(packet->body[at]); };
  return byte(0) == 4 && byte(1) <= 1 && byte(3) >= 8 && byte(3) <= 11;
}

SignatureState stateOfKey(const rnp::Key& signing, const rnp::Key& primary) {
  for (const auto* key : {&primary, &signing})
    if (flagOf(rnp_key_is_revoked, *key)) return SignatureState::KeyRevoked;
  for (const auto* key : {&primary, &signing})
    if (flagOf(rnp_key_is_expired, *key)) return SignatureState::KeyExpired;
  bool signs = false;
  rnp_key_allows_usage(signing.get(), "sign", &signs);
  if (!signs || !flagOf(rnp_key_is_valid, signing) || !flagOf(rnp_key_is_valid, primary))
    return SignatureState::Invalid;
  return SignatureState::Valid;
}

SignatureState stateOfResult(rnp_result_t status) {
  switch (status) {
    case RNP_SUCCESS:
      return SignatureState::Valid;
    case RNP_ERROR_KEY_NOT_FOUND:
      return SignatureState::UnknownKey;
    case RNP_ERROR_SIGNATURE_EXPIRED:
      return SignatureState::Expired;
    case RNP_ERROR_SIGNATURE_UNKNOWN:
      return SignatureState::Unsupported;
    default:
      return SignatureState::Invalid;
  }
}

// Fills the verdict from what librnp found.
void judge(SignatureVerdict& verdict, const rnp::Ffi& ffi, rnp_op_verify_signature_t signature, TimePoint now) {
  verdict.state = stateOfResult(rnp_op_verify_signature_get_status(signature));
  std::uint32_t created = 0;
  std::uint32_t expires = 0;
  if (rnp_op_verify_signature_get_times(signature, &created, &expires) == RNP_SUCCESS)
    verdict.signedAt = TimePoint(std::chrono::seconds(created));
  rnp::Key signing;
  rnp_op_verify_signature_get_key(signature, out(signing));
  if (!signing) {
    if (verdict.state == SignatureState::Valid) verdict.state = SignatureState::UnknownKey;
    return;
  }
  verdict.signer = flagOf(rnp_key_is_primary, signing) ? textOf(rnp_key_get_fprint, signing)
                                                       : textOf(rnp_key_get_primary_fprint, signing);
  rnp::Key primary;
  rnp_locate_key(ffi.get(), "fingerprint", verdict.signer.c_str(), out(primary));
  const auto keyState = primary ? stateOfKey(signing, primary) : SignatureState::Invalid;
  // librnp does not look further once the key is revoked.
  const bool revoked = verdict.state == SignatureState::Invalid && keyState == SignatureState::KeyRevoked;
  if (verdict.state == SignatureState::Valid || revoked) verdict.state = keyState;
  if (verdict.state == SignatureState::Valid && verdict.signedAt > now + ClockSlack)
    verdict.state = SignatureState::Invalid;
}

bool isSignedType(const MimeType& type) {
  return type.name == "multipart/signed" && type.parameter("protocol") == "application/pgp-signature";
}

}  // namespace

const char* stateName(SignatureState state) {
  switch (state) {
    case SignatureState::None:
      return "none";
    case SignatureState::Valid:
      return "valid";
    case SignatureState::Invalid:
      return "invalid";
    case SignatureState::UnknownKey:
      return "unknown-key";
    case SignatureState::Expired:
      return "expired";
    case SignatureState::KeyExpired:
      return "key-expired";
    case SignatureState::KeyRevoked:
      return "key-revoked";
    case SignatureState::Several:
      return "several";
    case SignatureState::Partial:
      return "partial";
    case SignatureState::Unsupported:
      break;
  }
  return "unsupported";
}

SignatureVerdict verifyPackets(std::string_view content, std::span<const std::string> signatures,
                               std::span<const PublicKey> signers, TimePoint now) {
  SignatureVerdict verdict;
  if (signatures.empty()) return verdict;
  verdict.oneSigner = signatures.size() == 1;
  verdict.wholeBody = true;
  verdict.state = SignatureState::Several;
  if (!verdict.oneSigner) return verdict;
  verdict.state = SignatureState::Unsupported;
  if (!isSupported(signatures.front())) return verdict;
  PacketReader reader(signatures.front());
  verdict.keyId = crypto::hex(signatureIssuer(reader.next()->body).value());

  const auto ffi = rnp::store(now);
  for (const auto& signer : signers) {
    const auto input = rnp::memoryInput(signer.bytes());
    rnp_import_keys(ffi.get(), input.get(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_PERMISSIVE, nullptr);
  }
  const auto input = rnp::memoryInput(content);
  const auto signature = rnp::memoryInput(signatures.front());
  rnp::Verify operation;
  rnp::check(rnp_op_verify_detached_create(out(operation), ffi.get(), input.get(), signature.get()),
             "verify a message");
  rnp_op_verify_execute(operation.get());
  std::size_t count = 0;
  rnp_op_verify_signature_t found = nullptr;
  verdict.state = SignatureState::Invalid;
  if (rnp_op_verify_get_signature_count(operation.get(), &count) != RNP_SUCCESS || count != 1 ||
      rnp_op_verify_get_signature_at(operation.get(), 0, &found) != RNP_SUCCESS)
    return verdict;
  judge(verdict, ffi, found, now);
  return verdict;
}

SignatureVerdict verifySigned(std::string_view message, std::span<const PublicKey> signers, TimePoint now) {
  SignatureVerdict verdict;
  const auto entity = readEntity(message);
  if (!entity || !isSignedType(entity->type)) return verdict;
  verdict.state = SignatureState::Partial;
  const auto parts = splitMultipart(*entity);
  if (!parts || parts->size() != 2) return verdict;
  const auto second = readEntity((*parts)[1]);
  if (!second || second->type.name != "application/pgp-signature") return verdict;
  verdict.state = SignatureState::Unsupported;
  if (second->body.size() > MaxSignatureText) return verdict;
  const auto bytes = dearmor("SIGNATURE", second->body, true);
  if (!bytes) return verdict;
  std::vector<std::string> signatures;
  PacketReader reader(*bytes);
  while (const auto packet = reader.next()) {
    if (packet->tag != PacketTag::Signature) return verdict;
    signatures.push_back(pgp::packet(PacketTag::Signature, packet->body));
  }
  if (reader.malformed() || signatures.empty()) return verdict;
  return verifyPackets((*parts)[0], signatures, signers, now);
}

}  // namespace postern::pgp
