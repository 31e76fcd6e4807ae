#include "listd/keys/ListKeys.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/mail/Date.h"
#include "core/mail/Message.h"
#include "core/mail/MessageId.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/Signer.h"
#include "core/seal/SmimeSigner.h"
#include "listd/archive/ObjectId.h"
#include "listd/plan/PlanWriter.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace postern::listd {
namespace {

constexpr std::uint64_t Numbers = (1ULL << 29) - 1;  // of messages; the gateway counts from the other end

std::vector<ListKey> formerOf(SiteContext& context, const List& list, std::string_view kind) {
  auto keys = context.site.read([&](SiteTables& tables) { return tables.keyRing.listKeys(list.id); });
  const auto now = context.clock.now();
  std::erase_if(keys,
                [&](const ListKey& key) { return key.kind != kind || key.state != "former" || key.endsAt < now; });
  return keys;
}

// What is told; plain sentences, since a person is to compare the fingerprints. `vouches`: the former key signs it.
std::string textOf(const List& list, const ListKey& former, bool vouches) {
  const bool smime = former.kind == "smime";
  return "The list " + list.address + " has a new " + (smime ? "S/MIME certificate" : "OpenPGP key") +
         ".\r\n\r\nNew fingerprint:\r\n  " + (smime ? list.fingerprint : list.openPgpFingerprint) +
         "\r\nFormer fingerprint:\r\n  " + former.fingerprint +
         (vouches ? "\r\n\r\nThis text is signed by the former key, and the mail that it came in by the new\r\none."
                  : "\r\n\r\nThe former key had ended and could not sign this text. Before you rely on the new\r\nkey, "
                    "ask an owner of the list by other means for its fingerprint.") +
         " Mail to the list that is encrypted to the\r\nformer key is read until " + formatRfc3339(former.endsAt) +
         ".\r\n";
}

std::string attachment(const char* type, const char* name, const std::string& bytes) {
  return std::string("Content-Type: ") + type + "; name=" + name +
         "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=" + name + "\r\n\r\n" +
         crypto::base64Lines(bytes);
}

// Text and new key.
std::string announcementContent(const List& list, const ListKey& former, bool vouches) {
  const bool smime = former.kind == "smime";
  const auto boundary = "keys-" + crypto::randomToken(18);
  return "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n--" + boundary +
         "\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" + textOf(list, former, vouches) + "\r\n--" +
         boundary + "\r\n" +
         (smime ? attachment("application/pkix-cert", "list.cer", list.certificate)
                : attachment("application/pgp-keys", "list.pgp", list.openPgpKey)) +
         "\r\n--" + boundary + "--\r\n";
}

bool hasEnded(const ListKey& former, TimePoint now) {
  if (former.kind == "smime") return crypto::Certificate::parse(former.publicPart).value().notAfter() < now;
  const auto ends = pgp::PublicKey::parse(former.publicPart).value().inspect(now).expires;
  return ends && *ends < now;
}

// As an entity that the former key signed; one that says so where that cannot sign any more.
std::string announcementEntity(SiteContext& context, const List& list, const ListKey& former) {
  const auto now = context.clock.now();
  const auto secret = context.keys.signingKey(list.id, former.name);
  const auto unsignedEntity = [&] { return announcementContent(list, former, false); };
  if (!secret || hasEnded(former, now)) return unsignedEntity();
  const auto entity = announcementContent(list, former, true);
  try {  // a boundary: a broken key cannot vouch, and the members are told all the same
    if (former.kind == "smime")
      return seal::SmimeSigner(crypto::SigningIdentity::import(former.publicPart, *secret)).sign(entity, now);
    return pgp::Signer(pgp::SecretKey::parse(*secret)).sign(entity, now);
  } catch (const Error& error) {
    log::error("keys", "a former key of a list cannot sign its announcement",
               {{"list", list.address}, {"error", error.what()}});
    return unsignedEntity();
  }
}

mail::Message announcementOf(SiteContext& context, const List& list, const ListKey& former) {
  const auto header = "From: <" + list.address + ">\r\nTo: <" + list.address + ">\r\nSubject: New key of " +
                      list.address + "\r\nDate: " + mail::formatDate(context.clock.now()) +
                      "\r\nMessage-ID: " + mail::makeMessageId(mail::DomainName::parse(list.domain).value()) +
                      "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  auto message = mail::Message::parse(header + announcementEntity(context, list, former));
  if (!message) throw Error(ErrorKind::Invariant, "the announcement of a list's key cannot be read");
  return std::move(*message);
}

// The content first, then plan and mark in one commit: a crash between stores the same object number again, which
// changes nothing.
void announce(SiteContext& context, const List& list, const ListKey& former) {
  const auto now = context.clock.now();
  const auto message = announcementOf(context, list, former);
  Post post;
  post.acceptedId = Numbers - former.id % Numbers;
  post.queueId = "list-key-" + std::to_string(former.id);
  post.messageId = message.messageId().value_or("");
  post.outMessageId = post.messageId;
  post.receivedAt = former.madeAt;
  post.size = message.bytes().size();
  post.sensitivity = list.sensitivity;
  post.client = "{}";
  post.vaultObject = objectIdOf(former.madeAt, post.acceptedId, ContentKind::AsItCame);
  const std::vector<vault::Vault::NewObject> objects{{post.vaultObject, list.id, message.bytes()}};
  context.vault.putAll(objects);
  // What is there: an attempt that a crash ended may have stored it with other boundaries and dates.
  const auto stored = context.vault.get(post.vaultObject);
  if (!stored) throw Error(ErrorKind::Store, "the announcement of a list's key is not in the vault");
  StoredObject object;
  object.id = post.vaultObject;
  object.receivedAt = post.receivedAt;
  object.size = stored->size();
  object.sensitivity = list.sensitivity;
  object.digest = crypto::sha256(*stored);
  object.headerDate = now;
  post.size = stored->size();
  context.site.write([&](SiteTables& tables) {
    const PostingRuling ruling{PostingRuling::Verdict::Accept, {}, std::nullopt, true};
    if (const auto id = writePlan(tables, post, list, ruling, now)) tables.archive.add(object, list.id, *id);
    tables.keyRing.noteAnnounced(former.id, now);
  });
}

void end(SiteContext& context, const ListKey& key) {
  context.keys.destroySigningKey(key.listId, key.name);  // first: may be repeated when the commit is lost
  context.site.write([&](SiteTables& tables) {
    tables.keyRing.endListKey(key.id);
    audit::Event event;
    event.actorKind = "system";
    event.action = "list.key-ended";
    event.objectType = "list";
    event.objectId = std::to_string(key.listId);
    event.listId = key.listId;
    event.text("kind", key.kind).text("fingerprint", key.fingerprint);
    tables.audit.append(event);
  });
}

constexpr std::chrono::days UnnamedKept{30};
constexpr std::string_view UnnamedNote = "unnamed list keys";  // in keys.db: the note goes where the keys go

using KeyName = std::pair<std::uint64_t, std::string>;
using UnnamedKeys = std::map<KeyName, std::chrono::seconds>;  // how long nothing has named it, as far as that was seen

std::set<KeyName> namedKeys(SiteTables& tables) {
  std::set<KeyName> named;
  for (const auto& list : tables.lists.all()) {
    named.emplace(list.id, list.smimeKeyName);
    if (!list.openPgpFingerprint.empty()) named.emplace(list.id, list.openPgpKeyName);
  }
  for (const auto& key : tables.keyRing.listKeysNotEnded()) named.emplace(key.listId, key.name);
  return named;
}

// A line for each: list, name, seconds. What cannot be read starts anew.
UnnamedKeys readUnnamed(const vault::KeyStore& keys) {
  UnnamedKeys unnamed;
  const auto note = keys.siteKey(UnnamedNote);
  if (!note) return unnamed;
  std::istringstream lines{std::string(note->view())};
  std::uint64_t listId = 0;
  std::string name;
  std::int64_t seconds = 0;
  while (lines >> listId >> name >> seconds) unnamed[{listId, name}] = std::chrono::seconds(seconds);
  return unnamed;
}

void writeUnnamed(vault::KeyStore& keys, const UnnamedKeys& unnamed) {
  std::string note;
  for (const auto& [key, seen] : unnamed)
    note.append(std::to_string(key.first))
        .append(" ")
        .append(key.second)
        .append(" ")
        .append(std::to_string(seen.count()) + "\n");
  if (note.empty())
    keys.destroySiteKey(UnnamedNote);
  else
    keys.storeSiteKey(UnnamedNote, Secret(note));
}

void recordSwept(SiteTables& tables, std::uint64_t listId, const std::string& name) {
  log::warning("keys", "a private key that no list names was destroyed", {{"list", listId}, {"name", name}});
  audit::Event event;
  event.actorKind = "system";
  event.action = "list.key-swept";
  event.objectType = "list";
  event.objectId = std::to_string(listId);
  event.listId = listId;
  event.text("name", name);
  tables.audit.append(event);
}

void announceOrPass(SiteContext& context, const ListKey& key) {
  const auto list = context.site.read([&](SiteTables& tables) { return tables.lists.find(key.listId); });
  if (list && list->deletedAt == TimePoint()) return announce(context, *list, key);
  context.site.write([&](SiteTables& tables) { tables.keyRing.noteAnnounced(key.id, context.clock.now()); });
}

// The boundary of a queue job: the change of key stands, and what hangs on it is tried again in a minute.
template <class Work>
void attempt(const char* what, const ListKey& key, Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    log::error("keys", std::string("a former key of a list could not be ") + what,
               {{"list", key.listId}, {"error", error.what()}});
  }
}

ListKey formerKey(const List& list, TimePoint now, TimePoint opensUntil) {
  ListKey key;
  key.listId = list.id;
  key.state = "former";
  key.madeAt = now;
  key.endsAt = opensUntil;
  if (!list.secure) key.announcedAt = now;  // copies of open lists are not signed: nobody has the key
  return key;
}

}  // namespace

std::vector<crypto::SigningIdentity> formerIdentities(SiteContext& context, const List& list) {
  std::vector<crypto::SigningIdentity> found;
  for (const auto& key : formerOf(context, list, "smime"))
    if (const auto secret = context.keys.signingKey(list.id, key.name))
      found.push_back(crypto::SigningIdentity::import(key.publicPart, *secret));
  return found;
}

std::vector<pgp::SecretKey> formerOpenPgpKeys(SiteContext& context, const List& list) {
  std::vector<pgp::SecretKey> found;
  for (const auto& key : formerOf(context, list, "openpgp"))
    if (const auto secret = context.keys.signingKey(list.id, key.name)) found.push_back(pgp::SecretKey::parse(*secret));
  return found;
}

std::string newKeyName(std::string_view kind) {
  return std::string(kind) + "-" + crypto::randomToken(12);
}

void retireSmime(SiteTables& tables, const List& list, TimePoint now, TimePoint opensUntil) {
  auto key = formerKey(list, now, opensUntil);
  key.kind = "smime";
  key.name = list.smimeKeyName;
  key.fingerprint = list.fingerprint;
  key.publicPart = list.certificate;
  tables.keyRing.addListKey(key);
}

void retireOpenPgp(SiteTables& tables, const List& list, TimePoint now, TimePoint opensUntil) {
  auto key = formerKey(list, now, opensUntil);
  key.kind = "openpgp";
  key.name = list.openPgpKeyName;
  key.fingerprint = list.openPgpFingerprint;
  key.publicPart = list.openPgpKey;
  tables.keyRing.addListKey(key);
}

std::size_t sweepListKeys(SiteContext& context, std::chrono::seconds sinceLast) {
  const auto passed = std::clamp(sinceLast, std::chrono::seconds(0), std::chrono::seconds(MostBetweenSweeps));
  return context.site.write([&](SiteTables& tables) {
    const auto named = namedKeys(tables);
    const auto before = readUnnamed(context.keys);
    UnnamedKeys after;
    std::size_t swept = 0;
    for (const auto& [listId, name] : context.keys.signingKeys()) {
      const KeyName key(listId, name);
      if (named.contains(key)) continue;
      const auto known = before.find(key);
      const auto seen = known == before.end() ? std::chrono::seconds(0) : known->second + passed;
      if (seen < UnnamedKept) {
        after.emplace(key, seen);
        continue;
      }
      context.keys.destroySigningKey(listId, name);
      recordSwept(tables, listId, name);
      ++swept;
    }
    if (after != before) writeUnnamed(context.keys, after);
    return swept;
  });
}

void tendListKeys(SiteContext& context) {
  const auto now = context.clock.now();
  const auto due = context.site.read([&](SiteTables& tables) {
    return std::pair(tables.keyRing.listKeysToAnnounce(), tables.keyRing.listKeysEndedBefore(now));
  });
  for (const auto& key : due.first) attempt("announced", key, [&] { announceOrPass(context, key); });
  for (const auto& key : due.second) attempt("ended", key, [&] { end(context, key); });
}

}  // namespace postern::listd
