#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::pgp {

// Why bytes are not a public key that Postern takes. `code` is stable: "malformed" "too-large" "too-complex"
// "private-key" (the text holds a private key, which nobody should send) "several" (more than one key)
// "unsupported-version" (OpenPGP v3, v5, v6) "unsupported-algorithm" (of the primary key).
struct KeyError {
  std::string code;
  std::string message;  // for the person who gave the bytes
};

// What can be said of a key or a part of it now. The words are those of crypto::CertificateState.
enum class KeyState : std::uint8_t {
  Valid,
  Expired,
  NotYetValid,
  WrongAddress,
  WrongUsage,  // it is not for encryption
  WeakKey,
  Untrusted,  // no valid signature of the key itself
  Revoked,
  Unsupported,  // algorithm, curve or version
};
// "valid" "expired" "not-yet-valid" "wrong-address" "wrong-usage" "weak-key" "untrusted" "revoked" "unsupported"
const char* stateName(KeyState state);

struct UserIdReport {
  std::string text;     // as written, valid UTF-8
  std::string address;  // the one address in it; empty if there is none or more than one could be meant
  KeyState state = KeyState::Untrusted;
};

// The primary key (the first of KeyReport::keys) or a subkey.
struct KeyPartReport {
  std::string fingerprint;  // lower-case hex, 40 characters; empty for a version that is not known
  std::string keyId;        // lower-case hex, 16 characters
  std::string algorithm;    // "RSA 3072", "ECDH cv25519", "EdDSA ed25519", "version 6"
  unsigned bits = 0;
  TimePoint created{};
  std::optional<TimePoint> expires;
  KeyState encryption = KeyState::WrongUsage;  // may mail be encrypted to this part now?
  std::string why;                             // a sentence; empty when valid
};

struct KeyReport {
  std::string fingerprint;  // of the primary key
  std::string algorithm;
  TimePoint created{};
  std::optional<TimePoint> expires;  // when the key or its chosen part ends, whichever is first
  KeyState state = KeyState::Unsupported;
  std::string detail;  // a sentence for the member or owner; empty when valid
  std::vector<UserIdReport> userIds;
  std::vector<KeyPartReport> keys;
  std::optional<std::size_t> chosen;  // of `keys`: what mail is encrypted to

  bool valid() const { return state == KeyState::Valid; }
  bool hasAddress(std::string_view address) const;  // of a valid user id, ASCII letters of both cases equal
};

// A transferable public key (RFC 4880 §11.1) of version 4. Parsing is bounded before anything is computed and before
// librnp sees a byte: size, number of user ids, parts and signatures, RSA of at most 8192 bits with an exponent of at
// most 32 bits, known curves only. What does not serve encryption or verification is taken out: signatures of other
// people, photographs, parts of unknown versions or algorithms (they stay in the report).
// Callers cap what they read in at MaxText. librnp 0.16 gets no updates in Debian 12: what reaches it has passed our
// own packet walk, but a process of its own for parse() would be better still (it needs only bytes in, bytes out).
// Invariant: immutable. Threads: safe for all. Cheap to copy.
class PublicKey {
public:
  static constexpr std::size_t MaxText = 512 * 1024;
  static constexpr std::size_t MaxUserIds = 100;
  static constexpr std::size_t MaxParts = 32;
  static constexpr std::size_t MaxOwnSignatures = 400;
  static constexpr std::size_t MaxPackets = 4000;

  // ASCII armor or binary. Exactly one key.
  static Result<PublicKey, KeyError> parse(std::string_view armoredOrBinary);

  const std::string& bytes() const;        // binary, without what was taken out
  std::string armored() const;             // the same as text
  const std::string& fingerprint() const;  // lower-case hex, 40 characters

  // Checks the key's own signatures and works out what is valid at `now`. Costs milliseconds: keep the result.
  KeyReport inspect(TimePoint now) const;

private:
  friend struct RecipientKey;
  struct Content;
  explicit PublicKey(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

struct KeyCheck {
  KeyState state = KeyState::Unsupported;
  std::string detail;  // a sentence for the member or owner; empty when valid
  bool valid() const { return state == KeyState::Valid; }
};

// May mail for `address` be encrypted to this key now? There is no web of trust: a key is trusted by the act of
// import or confirmation; the address must stand in a user id that the key itself signed.
KeyCheck check(const KeyReport& report, std::string_view address);
KeyCheck check(const PublicKey& key, std::string_view address, TimePoint now);

}  // namespace postern::pgp
