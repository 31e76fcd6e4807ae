#include "listd/audit/Sentence.h"

#include "listd/audit/Phrases.h"

namespace postern::listd {

using audit::Field;

namespace {

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
  const auto* known = auditPhrase(entry[Field::Action]);
  const auto object = objectOf(tables, entry);
  if (known == nullptr) {
    auto text = "did " + std::string(entry[Field::Action]);
    return entry[Field::ObjectType].empty() ? text : text + " on " + object;
  }
  std::string phrase = known;
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
