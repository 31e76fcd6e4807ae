#include "listd/retention/CertificateWriter.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"
#include "core/records/Period.h"

namespace postern::listd {
namespace {

constexpr std::string_view KeyName = "certificate";
// What stands before an Ed25519 public key to make it the DER that openssl reads (RFC 8410 section 4).
constexpr std::string_view PublicKeyPrefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::string_view DigestField = "lines-sha256: ";

std::string publicPart(EVP_PKEY* key) {
  std::string bytes(32, '\0');
  auto size = bytes.size();
  crypto::check(EVP_PKEY_get_raw_public_key(key, crypto::bytesOf(bytes), &size), "read a public key");
  return bytes;
}

crypto::PkeyPtr keyFrom(const Secret& seed) {
  return crypto::PkeyPtr(crypto::check(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, crypto::bytesOf(seed.view()), seed.view().size()),
      "read the key that signs certificates"));
}

// Made for the first certificate; a change of the root key wraps it anew and does not change it.
crypto::PkeyPtr certificateKey(SiteContext& context) {
  if (const auto seed = context.keys.siteKey(KeyName)) return keyFrom(*seed);
  const auto seed = crypto::randomSecret(32);
  auto key = keyFrom(seed);
  context.keys.storeSiteKey(KeyName, seed, publicPart(key.get()));
  return key;
}

std::string sign(EVP_PKEY* key, std::string_view body) {
  const crypto::DigestContextPtr context(crypto::check(EVP_MD_CTX_new(), "sign a certificate"));
  crypto::check(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key), "sign a certificate");
  std::string signature(64, '\0');
  auto size = signature.size();
  crypto::check(EVP_DigestSign(context.get(), crypto::bytesOf(signature), &size, crypto::bytesOf(body), body.size()),
                "sign a certificate");
  return signature;
}

bool verify(std::string_view publicKey, std::string_view body, std::string_view signature) {
  const crypto::PkeyPtr key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, crypto::bytesOf(publicKey), publicKey.size()));
  const crypto::DigestContextPtr context(EVP_MD_CTX_new());
  const bool good = key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(context.get(), crypto::bytesOf(signature), signature.size(), crypto::bytesOf(body),
                                     body.size()) == 1;
  crypto::clearOpenSslErrors();
  return good;
}

std::string timeText(TimePoint time) {
  if (time == records::Never) return "never";
  return time == records::Earliest ? "none" : formatRfc3339(time);
}

std::string linesDigest(SiteTables& tables, std::uint64_t runId) {
  crypto::Sha256 digest;
  tables.retention.forEachLine(runId, [&](const Disposal& line) { digest.update(certificateLine(line)); });
  for (const auto& line : tables.retention.listLines(runId)) digest.update(certificateLine(line));
  return crypto::hex(digest.finish());
}

// Never more than is true at the moment of signing: what another program kept us from wiping is named.
std::string remnantsWords(const Remnants& remnants) {
  if (!remnants.any()) return "none: the logs of the databases were emptied after the last destruction";
  return remnants.text() +
         " may still hold destroyed keys or rows, out of use; they are wiped as soon as that can be done, which the "
         "audit log records as retention.cleaned";
}

std::string bodyOf(const SiteContext& context, SiteTables& tables, const Run& run, std::size_t lists,
                   const Remnants& remnants) {
  std::string body = "Postern disposition certificate, form 2\n";
  const auto field = [&](std::string_view name, const std::string& value) {
    body.append(name).append(": ").append(value).append("\n");
  };
  field("site", context.config.hostName);
  field("run", std::to_string(run.id));
  field("asked by", run.caller + " (" + run.startedBy + ")");
  field("started", formatRfc3339(run.startedAt));
  field("finished", formatRfc3339(run.finishedAt));
  field("tool", "postern-listd " POSTERN_VERSION);
  field("method", "cryptographic erase: the key of each object (AES-256-GCM, one key for one object) was destroyed");
  field("verification", "the key store was asked for each key after its destruction and had none");
  field("remnants", remnantsWords(remnants));
  field("objects", std::to_string(run.destroyed));
  if (lists > 0) field("lists", std::to_string(lists));
  body.append(DigestField).append(linesDigest(tables, run.id)).append("\n");
  return body;
}

}  // namespace

std::string certificateLine(const Disposal& disposal) {
  std::string line = "object " + std::to_string(disposal.objectId);
  const auto field = [&](std::string_view name, const std::string& value) {
    line.append(" | ").append(name).append(" ").append(value);
  };
  field("lists", disposal.lists);
  field("received", timeText(disposal.receivedAt));
  field("size", std::to_string(disposal.size));
  field("sha256", disposal.digest.empty() ? "not-noted" : crypto::hex(disposal.digest));
  field("rule", disposal.ruleId == 0
                    ? std::string("deleted-by-person")
                    : std::to_string(disposal.ruleId) + " version " + std::to_string(disposal.ruleVersion));
  field("retain-until", timeText(disposal.retainUntil));
  field("delete-at", timeText(disposal.deleteAt));
  field("method", records::actionWord(disposal.action));
  field("shredded-live-on", timeText(disposal.destroyedAt));
  field("unrecoverable-from-backups-after", timeText(disposal.unrecoverable));
  return line + "\n";
}

std::string certificateLine(const ListDisposal& list) {
  return "list " + std::to_string(list.listId) + " | address " + list.address + " | members " +
         std::to_string(list.members) + " | deleted " + timeText(list.deletedAt) + " | method " +
         callerWord(DestructionCaller::ListDeletion) + " | shredded-live-on " + timeText(list.destroyedAt) +
         " | unrecoverable-from-backups-after " + timeText(list.unrecoverable) + "\n";
}

std::string certificateText(SiteTables& tables, const Certificate& certificate) {
  auto text = certificate.body + "\n";
  if (certificate.lines > MostLinesInText) {
    text += "(" + std::to_string(certificate.lines) + " lines, given page by page)\n";
  } else {
    tables.retention.forEachLine(certificate.runId, [&](const Disposal& line) { text += certificateLine(line); });
    for (const auto& line : tables.retention.listLines(certificate.runId)) text += certificateLine(line);
  }
  return text +
         "\nsignature (Ed25519, of the text above the first empty line): " + crypto::base64(certificate.signature) +
         "\n-----BEGIN PUBLIC KEY-----\n" + crypto::base64(std::string(PublicKeyPrefix) + certificate.publicKey) +
         "\n-----END PUBLIC KEY-----\n";
}

bool certificateHolds(SiteTables& tables, const Certificate& certificate) {
  return verify(certificate.publicKey, certificate.body, certificate.signature) &&
         certificate.body.ends_with(std::string(DigestField) + linesDigest(tables, certificate.runId) + "\n");
}

void finishRun(SiteContext& context, Run run, const Remnants& remnants) {
  context.site.write([&](SiteTables& tables) {
    if (run.state == "running") run.state = "done";
    run.finishedAt = context.clock.now();
    run.destroyed = tables.retention.lineCount(run.id);
    tables.retention.update(run);
    const auto lists = tables.retention.listLines(run.id).size();
    if (run.destroyed + lists == 0 || tables.retention.certificateOfRun(run.id)) return;
    const auto key = certificateKey(context);
    Certificate certificate;
    certificate.runId = run.id;
    certificate.madeAt = run.finishedAt;
    certificate.lines = run.destroyed + lists;
    certificate.body = bodyOf(context, tables, run, lists, remnants);
    certificate.signature = sign(key.get(), certificate.body);
    certificate.publicKey = publicPart(key.get());
    tables.retention.addCertificate(certificate);
  });
}

void finishRun(SiteContext& context, std::uint64_t runId, std::span<const DestructionGate::Verdict> verdicts,
               const Remnants& remnants) {
  auto run = context.site.read([&](SiteTables& tables) { return tables.retention.run(runId); });
  if (!run) return;
  run->candidates = verdicts.size();
  for (const auto& verdict : verdicts) {
    if (verdict.removed) ++run->removed;
    if (!verdict.kept.empty()) ++run->kept[verdict.kept];
  }
  finishRun(context, std::move(*run), remnants);
}

}  // namespace postern::listd
