#include "listd/audit/Sentence.h"

#include <map>

namespace postern::listd {

using audit::Field;

namespace {

// What is said of an action; "%" is the object. Others are named by their word.
const std::map<std::string_view, const char*>& phrases() {
  static const std::map<std::string_view, const char*> table = {
      {"listd.started", "started the list service"},
      {"listd.clock-offset", "began to run by a clock that is moved against that of the machine"},
      {"listd.stopped", "stopped the list service"},
      {"delivery.batch", "handed copies over"},
      {"delivery.bounced", "noted a bounce"},
      {"policy.refused", "refused mail at the door"},
      {"audit.anchored", "carried a checkpoint of the audit log away"},
      {"audit.verify", "verified the audit log"},
      {"audit.export", "exported part of the audit log"},
      {"audit.erase-person", "made a person's history anonymous"},
      {"audit.rollback-declared", "declared that a restore put the site back"},
      {"audit.key-retired", "retired the audit log's key"},
      {"audit.key-begun", "began a new key of the audit log"},
      {"user.authenticate", "signed in"},
      {"user.setup", "made the first account"},
      {"user.setup-link", "made a set-up link"},
      {"list.create", "created %"},
      {"list.set", "changed %"},
      {"list.close", "closed %"},
      {"member.add", "added a member to %"},
      {"member.remove", "removed a member from %"},
      {"member.set", "changed a member of %"},
      {"member.import", "imported members into %"},
      {"member.export", "exported the members of %"},
      {"domain.add", "added %"},
      {"domain.remove", "removed %"},
      {"domain.trust", "trusted the mail servers of %"},
      {"domain.distrust", "said that TLS does not count for %"},
      {"domain.unmark", "took back what was said of the TLS of %"},
      {"probe.start", "asked the mail servers of % for their TLS"},
      {"route.add", "set the route of %"},
      {"route.remove", "removed the route of %"},
      {"key.import", "imported a member's key"},
      {"key.confirm", "confirmed a member's key"},
      {"key.revoke", "revoked a member's key"},
      {"key.check", "checked a member's key"},
      {"rule.propose", "proposed %"},
      {"rule.remove", "removed %"},
      {"hold.place", "placed %"},
      {"hold.release", "asked to release %"},
      {"matter.create", "opened %"},
      {"matter.close", "closed %"},
      {"object.read", "read the content of %"},
      {"object.destroyed", "destroyed %"},
      {"request.approve", "approved %"},
      {"request.refuse", "refused %"},
      {"search", "searched the archive"},
      {"export.create", "began an export"},
      {"export.read", "downloaded an export"},
  };
  return table;
}

std::string actorOf(SiteTables& tables, const audit::EntryView& entry) {
  const auto actor = entry[Field::ActorId];
  if (actor.empty()) return "Postern";
  auto name = personOf(tables, actor);
  const auto role = entry[Field::RoleUsed];
  return role.empty() ? name : name + " (" + std::string(role) + ")";
}

std::string objectOf(SiteTables& tables, const audit::EntryView& entry) {
  if (const auto listId = entry.number(Field::ListId); listId != 0)
    if (const auto list = tables.lists.find(listId)) return "list " + list->address;
  const auto type = std::string(entry[Field::ObjectType]);
  const auto id = std::string(entry[Field::ObjectId]);
  return id.empty() ? "a " + type : type + " " + id;
}

std::string phraseOf(SiteTables& tables, const audit::EntryView& entry) {
  const auto known = phrases().find(entry[Field::Action]);
  const auto object = objectOf(tables, entry);
  if (known == phrases().end()) {
    auto text = "did " + std::string(entry[Field::Action]);
    return entry[Field::ObjectType].empty() ? text : text + " on " + object;
  }
  std::string phrase = known->second;
  if (const auto place = phrase.find('%'); place != std::string::npos) phrase.replace(place, 1, object);
  return phrase;
}

}  // namespace

std::string personOf(SiteTables& tables, std::string_view pseudonym) {
  if (pseudonym.empty()) return {};
  const auto name = tables.audit.nameOf(pseudonym);
  return name.empty() ? "an erased person" : name;
}

std::string sentenceOf(SiteTables& tables, const audit::EntryView& entry) {
  const auto outcome = entry[Field::Outcome];
  const auto reason = std::string(entry[Field::ReasonCode]);
  auto sentence = actorOf(tables, entry);
  if (outcome == "ok")
    sentence += " " + phraseOf(tables, entry);
  else if (outcome == "denied")
    sentence += " was refused (" + reason + "): " + phraseOf(tables, entry);
  else if (outcome == "blocked-by-retention")
    sentence += " was stopped by retention (" + reason + "): " + phraseOf(tables, entry);
  else
    sentence += " failed (" + reason + "): " + phraseOf(tables, entry);
  if (!entry[Field::ApproverId].empty()) sentence += ", approved by " + personOf(tables, entry[Field::ApproverId]);
  return sentence + ".";
}

}  // namespace postern::listd
