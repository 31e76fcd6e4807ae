#include "listd/audit/Checkpoints.h"

#include "core/audit/Verify.h"
#include "core/base/Error.h"
#include "core/crypto/Encoding.h"

namespace postern::listd {
namespace {

constexpr std::string_view KeyName = "audit";

void storeKey(SiteContext& context, const audit::SignerKey& key) {
  context.keys.storeSiteKey(KeyName, key.seed(), key.verifier().text());
}

audit::Event keyEvent(std::string_view action, const std::string& actor, const audit::SignerKey& old,
                      const audit::SignerKey& fresh, const audit::SignerKey& signer) {
  audit::Event event;
  event.actorKind = actor.empty() ? "system" : "user";
  event.actor = actor;
  event.action = std::string(action);
  event.objectType = "audit";
  const auto message = audit::keyChangeMessage(old.verifier(), fresh.verifier());
  event.text("old", old.verifier().text())
      .text("new", fresh.verifier().text())
      .text("signature", crypto::base64(signer.sign(message)));
  return event;
}

}  // namespace

audit::SignerKey auditKey(SiteContext& context) {
  if (auto seed = context.keys.siteKey(KeyName)) {
    const auto text = context.keys.siteKeyPublicPart(KeyName).value_or("");
    const auto known = audit::VerifierKey::parse(text);
    if (!known) throw Error(ErrorKind::Store, "keys.db: the public part of the audit key is damaged");
    audit::SignerKey key(known->name(), std::move(*seed));
    if (key.verifier() != *known)
      throw Error(ErrorKind::Crypto, "keys.db: the public part of the audit key does not belong to its private key");
    return key;
  }
  const auto logId = context.site.write([](SiteTables& tables) { return tables.audit.logId(); });
  auto key = audit::SignerKey::generate(context.config.hostName + "/audit/" + logId);
  storeKey(context, key);
  return key;
}

std::optional<audit::StoredCheckpoint> makeCheckpoint(SiteContext& context, CheckpointIf when) {
  const auto key = auditKey(context);
  return context.site.write([&](SiteTables& tables) -> std::optional<audit::StoredCheckpoint> {
    auto newest = tables.audit.file().newestCheckpoint();
    const auto size = tables.audit.size();
    if (size == 0) return std::nullopt;
    const bool longer = !newest || newest->size < size;
    if (!longer || (when == CheckpointIf::Changed && !tables.audit.changedSinceCheckpoint())) return newest;
    const audit::Checkpoint checkpoint{key.verifier().name(), size, tables.audit.root()};
    tables.audit.addCheckpoint(checkpoint, key.sign(checkpoint));
    return tables.audit.file().newestCheckpoint();
  });
}

void changeAuditKey(SiteContext& context, const std::string& actor) {
  const auto old = auditKey(context);
  const auto fresh = audit::SignerKey::generate(old.verifier().name());
  makeCheckpoint(context, CheckpointIf::Always);  // what came before stands under the old key
  context.site.write([&](SiteTables& tables) {
    tables.audit.append(keyEvent(audit::KeyRetiredAction, actor, old, fresh, old));
    tables.audit.append(keyEvent(audit::KeyBegunAction, actor, old, fresh, fresh));
  });
  storeKey(context, fresh);
  makeCheckpoint(context, CheckpointIf::Always);
}

}  // namespace postern::listd
