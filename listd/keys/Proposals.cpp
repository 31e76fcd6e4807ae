#include "listd/keys/Proposals.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Revocation.h"
#include "core/mail/Parameters.h"
#include "core/mail/Text.h"
#include "core/pgp/PublicKey.h"
#include "listd/plan/KeyImport.h"
#include "listd/plan/Standing.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::size_t MaxAutocrypt = 64 * 1024;  // of the field; the specification asks for keys far below 10 kB

std::string authorOf(const mail::Message& post) {
  const auto from = post.from();
  if (!from.wellFormed || from.mailboxes.size() != 1 || !from.mailboxes.front().address) return {};
  return from.mailboxes.front().address->key();
}

std::string fingerprintOf(std::string_view bytes) {
  if (const auto certificate = crypto::Certificate::parse(bytes)) return certificate->fingerprint();
  if (const auto key = pgp::PublicKey::parse(bytes)) return key->fingerprint();
  return crypto::hex(crypto::sha256(bytes));
}

// Autocrypt 1.1 §2.1: one field that names the author; with several, none counts.
std::optional<std::string> autocryptKey(const mail::Message& post, const std::string& author) {
  if (post.header().count("Autocrypt") != 1) return std::nullopt;
  const auto& field = *post.header().find("Autocrypt");
  if (field.value.size() > MaxAutocrypt) return std::nullopt;
  // Its value is nothing but parameters; the base64 has folding blanks in it and "=" at its end.
  std::string address, data;
  std::string_view rest = field.value;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = mail::lowerAscii(mail::trim(part.substr(0, equals)));
    const auto value = mail::trim(part.substr(equals + 1));
    if (name == "addr")
      address = mail::lowerAscii(value);
    else if (name == "keydata")
      data = value;
    else if (name != "prefer-encrypt" && !name.starts_with('_'))
      return std::nullopt;  // a critical attribute that nobody here knows
  }
  if (address != author) return std::nullopt;
  return crypto::fromBase64(data);
}

void record(SiteTables& tables, const char* action, const KeyFinding& finding, const std::string& reason) {
  audit::Event event;
  event.actorKind = "system";
  event.action = action;
  event.objectType = "key";
  event.objectId = finding.fingerprint;
  event.person("address", finding.address).text("origin", finding.origin);
  if (!reason.empty()) event.text("why", reason);
  tables.audit.append(event);
}

bool isRevokedAnywhere(SiteTables& tables, const std::string& fingerprint) {
  const auto same = tables.keys.withFingerprint(fingerprint);
  return std::any_of(same.begin(), same.end(), [](const auto& key) { return key.facts.state == KeyState::Revoked; });
}

// A person confirmed or revoked a key of the address once: a mailbox alone does not bring another into use.
bool hadKey(SiteTables& tables, std::string_view address) {
  const auto keys = tables.keys.factsOf(address);
  return std::any_of(keys.begin(), keys.end(), [](const auto& key) { return key.state != KeyState::Proposed; });
}

// A certificate for the public key of one that is in use for the address: whoever opens mail to the new one could open
// it before. Not when the issuer revoked the old one: its private key may be in other hands.
bool renewsSameKey(SiteTables& tables, const MemberKey& key) {
  if (key.facts.kind != KeyKind::Smime) return false;
  const auto fresh = crypto::Certificate::parse(key.certificate);
  if (!fresh) return false;
  const auto keys = tables.keys.factsOf(key.address);
  return std::any_of(keys.begin(), keys.end(), [&](const KeyFacts& facts) {
    if (facts.kind != KeyKind::Smime || facts.state != KeyState::Confirmed || facts.verdict != Reason::ValidCertificate)
      return false;
    const auto known = tables.keys.find(key.address, facts.fingerprint);
    const auto old = crypto::Certificate::parse(known->certificate);
    return old && crypto::samePublicKey(*old, *fresh);
  });
}

void recordTaken(SiteTables& tables, const MemberKey& key, const char* state) {
  audit::Event event;
  event.actorKind = "recipient";
  event.actor = key.address;
  event.action = "key.brought";
  event.objectType = "key";
  event.objectId = key.facts.fingerprint;
  event.text("origin", key.origin).text("state", state);
  tables.audit.append(event);
}

// What was not fit once may be fit now, since other authorities are trusted; what a person refused stays refused.
bool wasRefused(SiteTables& tables, const KeyFinding& finding) {
  return finding.key ? tables.keyRing.isRefusedByPerson(finding.address, finding.fingerprint)
                     : tables.keyRing.isRefused(finding.address, finding.fingerprint);
}

}  // namespace

KeyFinding judgeFinding(SiteContext& context, std::string_view bytes, const std::string& address, std::string origin) {
  const auto now = context.clock.now();
  KeyFinding finding{address, std::move(origin), std::nullopt, {}, {}};
  auto imported = importKey(bytes, address, now, context.trustStore().get());
  if (!imported) {
    finding.fingerprint = fingerprintOf(bytes);
    finding.reason = imported.error().message;
    return finding;
  }
  finding.fingerprint = imported->facts.fingerprint;
  const auto reason = judgeKey(imported->facts, now);
  if (reason != validReason(imported->facts.kind)) {
    finding.reason = std::string("it cannot be used now: ") + reasonWord(reason);
    return finding;
  }
  imported->facts.state = KeyState::Proposed;
  imported->origin = finding.origin;
  finding.key = std::move(*imported);
  return finding;
}

std::vector<KeyFinding> findKeys(SiteContext& context, const mail::Message& post,
                                 const std::string& signerCertificate) {
  const auto author = authorOf(post);
  if (author.empty()) return {};
  std::vector<KeyFinding> findings;
  if (!signerCertificate.empty()) {
    const auto certificate = crypto::Certificate::parse(signerCertificate);
    const bool known = certificate && context.site.read([&](SiteTables& tables) {
      return tables.keys.find(author, certificate->fingerprint()).has_value();
    });
    if (!known) findings.push_back(judgeFinding(context, signerCertificate, author, "signed-mail"));
  }
  if (const auto key = autocryptKey(post, author)) findings.push_back(judgeFinding(context, *key, author, "autocrypt"));
  return findings;
}

void propose(SiteTables& tables, const KeyFinding& finding, TimePoint now) {
  if (tables.keys.find(finding.address, finding.fingerprint) || isRevokedAnywhere(tables, finding.fingerprint) ||
      wasRefused(tables, finding))
    return;
  if (!finding.key) {
    if (tables.keyRing.countRefusals(finding.address) >= MaxRefusals) return;
    tables.keyRing.addRefusal(finding.address, finding.fingerprint, finding.reason.substr(0, 300), now, {});
    return record(tables, "key.found-unfit", finding, finding.reason.substr(0, 300));
  }
  if (tables.keys.countProposals(finding.address) >= MaxProposals) return;
  auto key = *finding.key;
  key.facts.state = KeyState::Proposed;
  key.mailboxProven = false;
  tables.keyRing.forgetRefusal(finding.address, finding.fingerprint);
  tables.keys.add(key);
  refreshStanding(tables, finding.address, now);
  record(tables, "key.proposed", finding, {});
}

bool takeAuthoritative(SiteTables& tables, const KeyFinding& finding, TimePoint now) {
  if (!finding.key) {
    propose(tables, finding, now);  // which records why not
    return false;
  }
  auto key = *finding.key;
  if (isRevokedAnywhere(tables, key.facts.fingerprint) ||
      tables.keyRing.isRefusedByPerson(key.address, key.facts.fingerprint))
    return false;
  tables.keyRing.forgetRefusal(key.address, key.facts.fingerprint);
  const auto known = tables.keys.find(key.address, key.facts.fingerprint);
  key.facts.state = KeyState::Confirmed;
  if (known && known->facts.state == KeyState::Confirmed) {
    if (key.facts.notAfter <= known->facts.notAfter) return false;
    tables.keys.replaceVerdict(key);
  } else if (known) {
    tables.keys.setStanding(key);
  } else {
    tables.keys.add(key);
  }
  record(tables, "key.taken", finding, {});
  refreshStanding(tables, key.address, now);
  return true;
}

KeyTaken takeProven(SiteTables& tables, MemberKey key, KeyProof proof, TimePoint now) {
  if (isRevokedAnywhere(tables, key.facts.fingerprint)) return KeyTaken::Revoked;
  const auto known = tables.keys.find(key.address, key.facts.fingerprint);
  if (known && known->facts.state == KeyState::Confirmed) {
    // Never weaker: the copy that ends later is the one that is kept.
    if (key.facts.notAfter > known->facts.notAfter) {
      key.facts.state = KeyState::Confirmed;
      tables.keys.replaceVerdict(key);
      recordTaken(tables, key, "renewed");
      refreshStanding(tables, key.address, now);
    }
    return KeyTaken::Confirmed;
  }
  const bool inUse = proof == KeyProof::OldKey || !hadKey(tables, key.address) || renewsSameKey(tables, key);
  key.facts.state = inUse ? KeyState::Confirmed : KeyState::Proposed;
  key.mailboxProven = true;
  tables.keyRing.forgetRefusal(key.address, key.facts.fingerprint);
  if (known) {
    tables.keys.setStanding(key);
  } else {
    if (!inUse && tables.keys.countProposals(key.address) >= MaxProposals)
      if (const auto oldest = tables.keys.oldestUnproven(key.address))
        tables.keys.removeProposal(oldest->address, oldest->facts.fingerprint);
    tables.keys.add(key);
  }
  recordTaken(tables, key, inUse ? "confirmed" : "proposed");
  refreshStanding(tables, key.address, now);
  return inUse ? KeyTaken::Confirmed : KeyTaken::WaitsForOwner;
}

}  // namespace postern::listd
