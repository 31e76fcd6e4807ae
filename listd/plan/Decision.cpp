#include "listd/plan/Decision.h"

#include "core/base/Error.h"

#include <algorithm>
#include <array>

namespace postern::listd {

using app::Protection;

namespace {

// Which reason to show when no key is usable: the first of these that any key has is what the member can act on.
constexpr std::array Nearest{
    Reason::CertificateNotYetValid, Reason::KeyNotYetValid,    Reason::CertificateExpired, Reason::KeyExpired,
    Reason::KeyUnconfirmed,         Reason::RevocationUnknown, Reason::Untrusted,          Reason::WrongAddress,
    Reason::WrongPurpose,           Reason::WeakKey,           Reason::UnsupportedKey,     Reason::Revoked};

std::size_t distance(Reason reason) {
  return static_cast<std::size_t>(std::find(Nearest.begin(), Nearest.end(), reason) - Nearest.begin());
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

const char* keyKindWord(KeyKind kind) {
  return kind == KeyKind::Smime ? "smime" : "openpgp";
}

KeyKind parseKeyKind(std::string_view word) {
  for (const auto kind : {KeyKind::Smime, KeyKind::OpenPgp})
    if (word == keyKindWord(kind)) return kind;
  throw Error(ErrorKind::Store, "unknown kind of key in the database: " + std::string(word));
}

const char* protectionWord(const Decision& decision) {
  return decision.withheld() ? "withheld" : app::protectionName(decision.protection);
}

Reason validReason(KeyKind kind) {
  return kind == KeyKind::Smime ? Reason::ValidCertificate : Reason::ValidOpenPgpKey;
}

Reason judgeKey(const KeyFacts& key, TimePoint now) {
  const bool smime = key.kind == KeyKind::Smime;
  if (key.state == KeyState::Revoked) return Reason::Revoked;
  // The verdict about one kind of key never vouches for the other.
  if (key.verdict != validReason(key.kind)) return allowsCopy(key.verdict) ? Reason::UnsupportedKey : key.verdict;
  if (key.state == KeyState::Proposed) return Reason::KeyUnconfirmed;
  if (now < key.notBefore) return smime ? Reason::CertificateNotYetValid : Reason::KeyNotYetValid;
  if (now > key.notAfter) return smime ? Reason::CertificateExpired : Reason::KeyExpired;
  return validReason(key.kind);
}

namespace {

// The keys of a member, judged: of each kind the best, and of those that cannot be used the nearest.
struct JudgedKeys {
  const KeyFacts* best[2] = {nullptr, nullptr};
  const KeyFacts* nearest = nullptr;
  Reason problem = Reason::NoKey;

  JudgedKeys(const LadderRules& rules, Protection floor, const MemberFacts& facts, TimePoint now) {
    for (const auto& key : facts.keys) {
      const auto reason = judgeKey(key, now);
      if (reason == validReason(key.kind))
        takeBetter(best[static_cast<std::size_t>(key.kind)], key);
      else if (counts(rules, floor, facts, rungOf(key.kind)) && distance(reason) < distance(problem))
        nearest = &key, problem = reason;
    }
  }
  const KeyFacts* of(KeyKind kind) const { return best[static_cast<std::size_t>(kind)]; }

  static Protection rungOf(KeyKind kind) { return kind == KeyKind::Smime ? Protection::Smime : Protection::OpenPgp; }
  static bool counts(const LadderRules& rules, Protection floor, const MemberFacts& facts, Protection rung) {
    return rung >= floor &&
           (facts.wish == rung || std::find(rules.rungs.begin(), rules.rungs.end(), rung) != rules.rungs.end());
  }

private:
  static void takeBetter(const KeyFacts*& held, const KeyFacts& key) {
    if (held == nullptr || key.notBefore > held->notBefore ||
        (key.notBefore == held->notBefore && key.fingerprint > held->fingerprint))
      held = &key;
  }
};

std::optional<Decision> tryRung(Protection rung, const JudgedKeys& keys, const MemberFacts& facts) {
  switch (rung) {
    case Protection::Smime:
      if (const auto* key = keys.of(KeyKind::Smime)) return Decision{rung, Reason::ValidCertificate, key->fingerprint};
      break;
    case Protection::OpenPgp:
      if (const auto* key = keys.of(KeyKind::OpenPgp)) return Decision{rung, Reason::ValidOpenPgpKey, key->fingerprint};
      break;
    case Protection::Tls:
      if (facts.tlsVerified && !facts.tlsDistrusted) return Decision{rung, Reason::VerifiedTls, {}};
      break;
    case Protection::Pickup:
      return Decision{rung, Reason::PickUp, {}};
    case Protection::None:
      break;
  }
  return std::nullopt;
}

std::optional<Decision> climb(const LadderRules& rules, Protection floor, const JudgedKeys& keys,
                              const MemberFacts& facts) {
  for (const auto rung : rules.rungs)
    if (rung >= floor)
      if (auto decision = tryRung(rung, keys, facts)) return decision;
  if (facts.wish && *facts.wish >= floor) return tryRung(*facts.wish, keys, facts);
  return std::nullopt;
}

Decision withhold(const LadderRules& rules, Protection floor, const JudgedKeys& keys, const MemberFacts& facts) {
  const auto counts = [&](Protection rung) { return JudgedKeys::counts(rules, floor, facts, rung); };
  if (keys.nearest != nullptr) return {Protection::None, keys.problem, keys.nearest->fingerprint};
  if (keys.of(KeyKind::Smime) != nullptr || keys.of(KeyKind::OpenPgp) != nullptr)
    return {Protection::None, Reason::NotOnLadder, {}};
  if (counts(Protection::Smime) || counts(Protection::OpenPgp)) return {Protection::None, Reason::NoKey, {}};
  if (!counts(Protection::Tls)) return {Protection::None, Reason::NotOnLadder, {}};
  return {Protection::None, facts.tlsDistrusted ? Reason::TlsDoesNotCount : Reason::TlsNotVerified, {}};
}

}  // namespace

Decision decide(const LadderRules& rules, const MemberFacts& facts, TimePoint now) {
  if (!rules.secure) return {Protection::None, Reason::OpenList, {}};
  // Once more, whatever made the rules: nothing of a secure list goes out unprotected.
  const auto floor = std::max(rules.floor, Protection::Tls);
  const auto wanted = std::max(floor, facts.wish.value_or(floor));
  const JudgedKeys keys(rules, wanted, facts, now);
  if (auto decision = climb(rules, wanted, keys, facts)) return *decision;
  auto withheld = withhold(rules, wanted, keys, facts);
  // Without the wish there would be a copy: that is what the member has to know.
  auto without = facts;
  without.wish.reset();
  if (wanted > floor && climb(rules, floor, JudgedKeys(rules, floor, without, now), without))
    withheld.reason = Reason::Wish;
  return withheld;
}

}  // namespace postern::listd
