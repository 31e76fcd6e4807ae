#include "listd/plan/Decision.h"

#include "core/base/Error.h"

#include <array>

namespace postern::listd {
namespace {

// Which reason to show when no key is usable: the first of these that any key has is what the member can act on.
constexpr std::array Nearest{Reason::CertificateNotYetValid,
                             Reason::CertificateExpired,
                             Reason::KeyUnconfirmed,
                             Reason::Untrusted,
                             Reason::WrongAddress,
                             Reason::WrongPurpose,
                             Reason::WeakKey,
                             Reason::UnsupportedKey,
                             Reason::Revoked};

std::size_t distance(Reason reason) {
  for (std::size_t i = 0; i < Nearest.size(); ++i)
    if (Nearest[i] == reason) return i;
  return Nearest.size();
}

}  // namespace

const char* keyStateWord(KeyState state) {
  switch (state) {
    case KeyState::Proposed:
      return "proposed";
    case KeyState::Confirmed:
      return "confirmed";
    case KeyState::Revoked:
      return "revoked";
  }
  throw Error(ErrorKind::Invariant, "a key has an unknown state");
}

KeyState parseKeyState(std::string_view word) {
  for (const auto state : {KeyState::Proposed, KeyState::Confirmed, KeyState::Revoked})
    if (word == keyStateWord(state)) return state;
  throw Error(ErrorKind::Store, "unknown key state in the database: " + std::string(word));
}

const char* protectionWord(const Decision& decision) {
  return decision.withheld() ? "withheld" : app::protectionName(decision.protection);
}

std::optional<app::Protection> parseProtection(std::string_view word) {
  using app::Protection;
  for (const auto protection :
       {Protection::None, Protection::Tls, Protection::Pickup, Protection::OpenPgp, Protection::Smime})
    if (word == app::protectionName(protection)) return protection;
  return std::nullopt;
}

Reason judgeKey(const KeyFacts& key, TimePoint now) {
  if (key.state == KeyState::Revoked) return Reason::Revoked;
  if (key.verdict != Reason::ValidCertificate) return key.verdict;
  if (key.state == KeyState::Proposed) return Reason::KeyUnconfirmed;
  if (now < key.notBefore) return Reason::CertificateNotYetValid;
  if (now > key.notAfter) return Reason::CertificateExpired;
  return Reason::ValidCertificate;
}

Decision decide(bool secureList, std::span<const KeyFacts> keys, TimePoint now) {
  if (!secureList) return {app::Protection::None, Reason::OpenList, {}};
  const KeyFacts* best = nullptr;
  Decision withheld;
  for (const auto& key : keys) {
    const auto reason = judgeKey(key, now);
    if (reason == Reason::ValidCertificate) {
      if (best == nullptr || key.notBefore > best->notBefore ||
          (key.notBefore == best->notBefore && key.fingerprint > best->fingerprint))
        best = &key;
    } else if (withheld.reason == Reason::NoKey || distance(reason) < distance(withheld.reason)) {
      withheld = {app::Protection::None, reason, key.fingerprint};
    }
  }
  if (best != nullptr) return {app::Protection::Smime, Reason::ValidCertificate, best->fingerprint};
  return withheld;
}

}  // namespace postern::listd
