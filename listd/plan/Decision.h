#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"
#include "listd/plan/LadderRules.h"
#include "listd/plan/Reason.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::listd {

enum class KeyState { Proposed, Confirmed, Revoked };
const char* keyStateWord(KeyState state);       // "proposed" "confirmed" "revoked"
KeyState parseKeyState(std::string_view word);  // throws Error(Store): the word came from the database

enum class KeyKind : std::uint8_t { Smime, OpenPgp };
const char* keyKindWord(KeyKind kind);        // "smime" "openpgp"
KeyKind parseKeyKind(std::string_view word);  // throws Error(Store)

// What the plan looks at in a member's key. `verdict` was found when the key was imported and does not change with
// time: validReason(kind), or why the key may never be used.
struct KeyFacts {
  std::string fingerprint;
  KeyState state = KeyState::Proposed;
  Reason verdict = Reason::UnsupportedKey;
  TimePoint notBefore;
  TimePoint notAfter;
  KeyKind kind = KeyKind::Smime;
};

// What a plan looks at in a member.
struct MemberFacts {
  std::span<const KeyFacts> keys = {};
  std::optional<app::Protection> wish = std::nullopt;  // the weakest that the member wants
  bool tlsVerified = false;                            // the servers of the member's domain can be verified
  bool tlsDistrusted = false;                          // the site says that TLS to this domain does not count
};

// How one recipient's copy is protected and why. Withheld when the reason allows no copy.
struct Decision {
  app::Protection protection = app::Protection::None;
  Reason reason = Reason::NoKey;
  std::string keyFingerprint;
  bool withheld() const { return !allowsCopy(reason); }
  bool operator==(const Decision&) const = default;
};
const char* protectionWord(const Decision& decision);  // as app::protectionName, or "withheld"

Reason validReason(KeyKind kind);  // ValidCertificate or ValidOpenPgpKey

// Why this key may not be used now, or validReason of its kind.
Reason judgeKey(const KeyFacts& key, TimePoint now);

// The ladder for one member: the first rung that the member can have and that is not below the floor of the rules or
// the member's wish. A wish adds its own rung at the end, so that a member may have more than the list offers, never
// less. Of several usable keys of a kind the newest is taken. When no rung holds, the copy is withheld for the reason
// that the member or the owner can do most about. An open list sends plain copies. Pure.
Decision decide(const LadderRules& rules, const MemberFacts& facts, TimePoint now);

}  // namespace postern::listd
