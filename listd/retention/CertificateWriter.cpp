#include "listd/retention/CertificateWriter.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"
#include "core/records/Period.h"

namespace postern::listd {
namespace {

constexpr std::string_view SeedLabel = "postern disposition certificate v1";
constexpr std::string_view DigestField = "lines-sha256: ";

crypto::PkeyPtr privateKey(const SiteContext& context) {
  const auto seed = context.root.derive(SeedLabel);
  return crypto::PkeyPtr(crypto::check(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, crypto::bytesOf(seed.view()), seed.view().size()),
      "make the key that signs certificates"));
}

std::string publicPart(EVP_PKEY* key) {
  std::string bytes(32, '\0');
  auto size = bytes.size();
  crypto::check(EVP_PKEY_get_raw_public_key(key, crypto::bytesOf(bytes), &size), "read a public key");
  return bytes;
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
  return crypto::hex(digest.finish());
}

std::string bodyOf(const SiteContext& context, SiteTables& tables, const Run& run) {
  std::string body = "Postern disposition certificate, form 1\n";
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
  field("objects", std::to_string(run.destroyed));
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

std::string certificateText(SiteTables& tables, const Certificate& certificate) {
  auto text = certificate.body + "\n";
  tables.retention.forEachLine(certificate.runId, [&](const Disposal& line) { text += certificateLine(line); });
  return text + "\nsignature (Ed25519, of the text above the empty line): " + crypto::base64(certificate.signature) +
         "\npublic key: " + crypto::base64(certificate.publicKey) + "\n";
}

bool certificateHolds(SiteTables& tables, const Certificate& certificate) {
  return verify(certificate.publicKey, certificate.body, certificate.signature) &&
         certificate.body.ends_with(std::string(DigestField) + linesDigest(tables, certificate.runId) + "\n");
}

void finishRun(SiteContext& context, Run run) {
  context.site.write([&](SiteTables& tables) {
    if (run.state == "running") run.state = "done";
    run.finishedAt = context.clock.now();
    run.destroyed = tables.retention.lineCount(run.id);
    tables.retention.update(run);
    if (run.destroyed == 0 || tables.retention.certificateOfRun(run.id)) return;
    const auto key = privateKey(context);
    Certificate certificate;
    certificate.runId = run.id;
    certificate.madeAt = run.finishedAt;
    certificate.lines = run.destroyed;
    certificate.body = bodyOf(context, tables, run);
    certificate.signature = sign(key.get(), certificate.body);
    certificate.publicKey = publicPart(key.get());
    tables.retention.addCertificate(certificate);
  });
}

void finishRun(SiteContext& context, std::uint64_t runId, std::span<const DestructionGate::Verdict> verdicts) {
  auto run = context.site.read([&](SiteTables& tables) { return tables.retention.run(runId); });
  if (!run) return;
  run->candidates = verdicts.size();
  for (const auto& verdict : verdicts) {
    if (verdict.removed) ++run->removed;
    if (!verdict.kept.empty()) ++run->kept[verdict.kept];
  }
  finishRun(context, std::move(*run));
}

}  // namespace postern::listd
