#include "listd/retention/DisposalEvents.h"

#include "core/crypto/Encoding.h"

namespace postern::listd {

audit::Event destroyedEvent(const Disposal& disposal) {
  audit::Event event;
  event.actorKind = "system";
  event.action = "object.destroyed";
  event.objectType = "object";
  event.objectId = std::to_string(disposal.objectId);
  event.listId = disposal.listId;
  event.beforeDigest = crypto::hex(disposal.digest);
  event.reasonCode = records::actionWord(disposal.action);
  event.number("run", disposal.runId).number("rule", disposal.ruleId).number("version", disposal.ruleVersion);
  return event;
}

audit::Event keptEvent(DestructionCaller caller, const DestructionGate::Verdict& verdict) {
  audit::Event event;
  event.actorKind = "system";
  event.action = "object.kept";
  event.objectType = "object";
  event.objectId = std::to_string(verdict.target.objectId);
  event.listId = verdict.target.listId;
  event.outcome = audit::Outcome::BlockedByRetention;
  event.reasonCode = DestructionGate::publicReason(verdict.kept);
  event.text("caller", callerWord(caller));
  return event;
}

}  // namespace postern::listd
