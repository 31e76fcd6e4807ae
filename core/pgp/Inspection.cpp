// PublicKey::inspect: librnp checks the key's own signatures; we judge what follows.
#include "core/crypto/Encoding.h"
#include "core/mail/Address.h"
#include "core/mail/Text.h"
#include "core/pgp/PublicKeyContent.h"
#include "core/pgp/Rnp.h"

namespace postern::pgp {

namespace {

using rnp::out;

TimePoint timeOf(std::uint64_t seconds) {
  return TimePoint(std::chrono::seconds(seconds));
}

template <auto Ask>
bool flag(const rnp::Key& key) {
  bool result = false;
  rnp::check(Ask(key.get(), &result), "look at an OpenPGP key");
  return result;
}

// "Name <anna@example.org>", "<anna@example.org>" or the bare address. Anything else could mean more than one.
std::string addressIn(std::string_view userId) {
  const auto open = userId.find('<');
  if (open != std::string_view::npos) {
    if (!userId.ends_with('>') || userId.find('<', open + 1) != std::string_view::npos ||
        userId.find('>') != userId.size() - 1)
      return "";
    userId = userId.substr(open + 1, userId.size() - open - 2);
  }
  const auto address = mail::Address::parse(userId);
  return address ? address->text() : "";
}

std::vector<UserIdReport> userIdsOf(const rnp::Key& primary) {
  std::vector<UserIdReport> reports;
  std::size_t count = 0;
  rnp::check(rnp_key_get_uid_count(primary.get(), &count), "look at an OpenPGP key");
  for (std::size_t i = 0; i < count; ++i) {
    rnp::UserId id;
    rnp::check(rnp_key_get_uid_handle_at(primary.get(), i, out(id)), "look at an OpenPGP user id");
    void* data = nullptr;
    std::size_t size = 0;
    rnp::check(rnp_uid_get_data(id.get(), &data, &size), "look at an OpenPGP user id");
    const rnp::Buffer owner(data);
    bool valid = false;
    bool revoked = false;
    rnp::check(rnp_uid_is_valid(id.get(), &valid), "look at an OpenPGP user id");
    rnp::check(rnp_uid_is_revoked(id.get(), &revoked), "look at an OpenPGP user id");
    const std::string_view bytes(static_cast<const char*>(data), size);
    reports.push_back({mail::repairUtf8(bytes), addressIn(bytes),
                       revoked ? KeyState::Revoked
                       : valid ? KeyState::Valid
                               : KeyState::Untrusted});
  }
  return reports;
}

const char* sentence(KeyState state) {
  switch (state) {
    case KeyState::Expired:
      return "has expired";
    case KeyState::NotYetValid:
      return "is not valid yet";
    case KeyState::WrongUsage:
      return "is not made for encryption";
    case KeyState::WeakKey:
      return "is weak: fewer than 2048 bits";
    case KeyState::Untrusted:
      return "carries no valid signature of its own";
    case KeyState::Revoked:
      return "has been revoked";
    case KeyState::Unsupported:
      return "has a form that Postern cannot encrypt to";
    case KeyState::Valid:
    case KeyState::WrongAddress:
      break;
  }
  return "";
}

// The states that hold whatever the part is for.
KeyState lifeOf(const rnp::Key& key, const KeyPacket& packet, TimePoint now) {
  if (flag<rnp_key_is_revoked>(key)) return KeyState::Revoked;
  if (timeOf(packet.created) > now) return KeyState::NotYetValid;
  if (flag<rnp_key_is_expired>(key)) return KeyState::Expired;
  return KeyState::Valid;
}

KeyState encryptionState(const rnp::Key& key, const KeyPacket& packet, TimePoint now) {
  const auto life = lifeOf(key, packet, now);
  if (life != KeyState::Valid) return life;
  bool encrypts = false;
  rnp::check(rnp_key_allows_usage(key.get(), "encrypt", &encrypts), "look at an OpenPGP key");
  if (!encrypts) return KeyState::WrongUsage;
  if (!flag<rnp_key_is_valid>(key)) return KeyState::Untrusted;
  if (packet.recipient.kind == KeyKind::Unsupported) return KeyState::Unsupported;
  return packet.weak ? KeyState::WeakKey : KeyState::Valid;
}

KeyPartReport partOf(const rnp::Ffi& ffi, const KeyPacket& packet, TimePoint now) {
  KeyPartReport part;
  part.fingerprint = crypto::hex(packet.fingerprint);
  part.keyId = crypto::hex(packet.keyId());
  part.algorithm = packet.name;
  part.bits = packet.bits;
  part.created = timeOf(packet.created);
  part.encryption = KeyState::Unsupported;
  rnp::Key key;
  if (packet.supported) rnp_locate_key(ffi.get(), "fingerprint", part.fingerprint.c_str(), out(key));
  if (key) {
    std::uint32_t lifetime = 0;
    rnp::check(rnp_key_get_expiration(key.get(), &lifetime), "look at an OpenPGP key");
    if (lifetime > 0) part.expires = part.created + std::chrono::seconds(lifetime);
    part.encryption = encryptionState(key, packet, now);
  }
  if (part.encryption != KeyState::Valid) part.why = part.algorithm + " " + sentence(part.encryption);
  return part;
}

// The state of a key without any usable part: that of the part that comes nearest to being usable.
std::pair<KeyState, std::string> bestProblem(const std::vector<KeyPartReport>& parts) {
  for (const auto state : {KeyState::Expired, KeyState::Revoked, KeyState::NotYetValid, KeyState::WeakKey,
                           KeyState::Untrusted, KeyState::Unsupported})
    for (const auto& part : parts)
      if (part.encryption == state && (&part != &parts.front() || parts.size() == 1))
        return {state, "the encryption key: " + part.why};
  return {KeyState::WrongUsage, "the key has no part that is made for encryption"};
}

void judge(KeyReport& report, const rnp::Key& primary, const KeyPacket& packet, TimePoint now) {
  report.state = lifeOf(primary, packet, now);
  if (report.state == KeyState::Valid && !flag<rnp_key_is_valid>(primary)) report.state = KeyState::Untrusted;
  if (report.state == KeyState::Valid && packet.weak) report.state = KeyState::WeakKey;
  if (report.state != KeyState::Valid) {
    report.detail = std::string("the key ") + sentence(report.state);
    return;
  }
  if (!report.chosen) {
    std::tie(report.state, report.detail) = bestProblem(report.keys);
    return;
  }
  const auto& part = report.keys[*report.chosen];
  if (part.expires && (!report.expires || *part.expires < *report.expires)) report.expires = part.expires;
}

}  // namespace

KeyReport PublicKey::inspect(TimePoint now) const {
  const auto& content = *content_;
  KeyReport report;
  report.fingerprint = content.fingerprint;
  report.algorithm = content.parts.front().name;
  report.created = timeOf(content.parts.front().created);
  const auto ffi = rnp::store(now);
  rnp::Key primary;
  const auto input = rnp::memoryInput(content.bytes);
  if (rnp_import_keys(ffi.get(), input.get(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_PERMISSIVE, nullptr) ==
      RNP_SUCCESS)
    rnp_locate_key(ffi.get(), "fingerprint", content.fingerprint.c_str(), out(primary));
  if (!primary) {
    report.detail = "the key cannot be read";
    return report;
  }
  for (const auto& packet : content.parts) report.keys.push_back(partOf(ffi, packet, now));
  report.userIds = userIdsOf(primary);
  report.expires = report.keys.front().expires;
  for (std::size_t i = 0; i < report.keys.size(); ++i) {
    if (report.keys[i].encryption != KeyState::Valid) continue;
    // The newest, as other programs take it; a subkey before the primary key.
    const auto better =
        !report.chosen || *report.chosen == 0 || report.keys[i].created > report.keys[*report.chosen].created;
    if (better) report.chosen = i;
  }
  judge(report, primary, content.parts.front(), now);
  if (report.state != KeyState::Valid) report.chosen.reset();
  return report;
}

}  // namespace postern::pgp
