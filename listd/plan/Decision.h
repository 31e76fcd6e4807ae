#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"
#include "listd/plan/Reason.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::listd {

enum class KeyState { Proposed, Confirmed, Revoked };
const char* keyStateWord(KeyState state);       // "proposed" "confirmed" "revoked"
KeyState parseKeyState(std::string_view word);  // throws Error(Store): the word came from the database

// What the plan looks at in a member's key. `verdict` was found when the key was imported and does not change with
// time.
struct KeyFacts {
  std::string fingerprint;
  KeyState state = KeyState::Proposed;
  Reason verdict = Reason::UnsupportedKey;
  TimePoint notBefore;
  TimePoint notAfter;
};

// How one recipient's copy is protected and why. Withheld when the reason allows no copy.
struct Decision {
  app::Protection protection = app::Protection::None;
  Reason reason = Reason::NoKey;
  std::string keyFingerprint;
  bool withheld() const { return !allowsCopy(reason); }
};
const char* protectionWord(const Decision& decision);  // as app::protectionName, or "withheld"
std::optional<app::Protection> parseProtection(std::string_view word);

// Why this key may not be used now, or ValidCertificate.
Reason judgeKey(const KeyFacts& key, TimePoint now);

// The ladder of this release for one member. A secure list has the floor Smime: without a usable certificate the copy
// is withheld, for the reason of the key that comes nearest. Of several usable keys the newest is taken. An open list
// sends plain copies.
Decision decide(bool secureList, std::span<const KeyFacts> keys, TimePoint now);

}  // namespace postern::listd
