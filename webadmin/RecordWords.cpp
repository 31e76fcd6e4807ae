#include "webadmin/RecordWords.h"

#include "webadmin/Words.h"

#include <array>
#include <span>
#include <utility>

namespace postern::webadmin::words {

namespace {

struct Entry {
  std::string_view word;
  std::string_view text;
};

std::string lookUp(std::span<const Entry> entries, std::string_view word) {
  for (const auto& entry : entries)
    if (entry.word == word) return std::string(entry.text);
  return std::string(word);
}

constexpr Entry Tiers[] = {
    {"floor", "Floor"},
    {"label", "Label"},
    {"scoped", "Scoped"},
    {"default", "Default"},
};

constexpr Entry Effects[] = {
    {"retain", "Keeps"},
    {"delete", "Destroys"},
    {"both", "Keeps, then destroys"},
};

constexpr Entry Actions[] = {
    {"review", "Ask a person"},
    {"anonymise", "Make anonymous"},
    {"purge", "Destroy"},
    {"shred", "Destroy the key only"},
};

constexpr Entry Kinds[] = {
    {"rule.propose", "Change of a retention rule"},
    {"rule.change", "Change of a retention rule"},
    {"retention.trust-clock", "Trust in the clock"},
    {"clock.trust", "Trust in the clock"},
    {"account.roles", "Roles of an account"},
    {"account.one-person", "Leaving the site to one person"},
    {"rule.remove", "Removal of a retention rule"},
    {"hold.release", "Release of a legal hold"},
    {"hold.release-early", "Release of a legal hold with a short grace"},
    {"object.unlabel", "Removal of a label"},
    {"retention.run", "Destruction over the blast limit"},
    {"review.decide", "Decision of a disposition review"},
    {"account.set", "Roles of an account"},
    {"erasure.answer", "Erasure over the blast limit"},
    {"log.restore", "Declaration that a restore put the audit log back"},
};

constexpr Entry MatterActs[] = {
    {"matter.create", "Opened"},
    {"matter.set", "Changed"},
    {"matter.close", "Closed"},
    {"matter.note", "Note"},
    {"custodian.add", "Custodian added"},
    {"custodian.remove", "Custodian removed"},
    {"hold.place", "Hold placed"},
    {"hold.release", "Release of a hold asked for"},
    {"notice.acknowledge", "Notice acknowledged"},
    {"search", "Searched"},
    {"search.save", "Search saved"},
    {"search.remove", "Saved search removed"},
    {"export.create", "Export made"},
    {"export.read", "Export downloaded"},
    {"export.remove", "Export removed"},
    {"object.read", "Message read"},
};

constexpr Entry Kept[] = {
    {"held", "Under a legal hold"},
    {"grace", "Within the grace after a release"},
    {"review", "Waits for a person's review"},
    {"not-evaluable", "Content cannot be read, so it counts as held"},
    {"not-due", "Not due when looked at again"},
    {"referenced", "Another list still keeps it"},
    {"clock", "The clock is not trusted"},
    {"blast-limit", "Over the blast limit"},
    {"error", "An error: kept, tried again in the next run"},
};

constexpr Entry Fields[] = {
    {"name", "Name"},
    {"tier", "Tier"},
    {"effect", "Effect"},
    {"period", "Period"},
    {"start", "Starts at"},
    {"action", "Action"},
    {"enabled", "Switched on"},
    {"locked", "Locked"},
    {"sentence", "In words"},
    {"state", "State"},
    {"inForceUntil", "In force until"},
    {"releasedAt", "Released"},
    {"scope", "Applies to"},
    {"scope.lists", "Lists"},
    {"scope.listClasses", "Classes of list"},
    {"scope.domains", "Domains"},
    {"scope.senders", "Senders"},
    {"scope.recipients", "Recipients"},
    {"scope.addresses", "Persons"},
    {"scope.query", "Query"},
    {"scope.from", "From"},
    {"scope.until", "Until"},
    {"scope.labels", "Labels"},
    {"scope.classes", "Classes of message"},
    {"scope.headers", "Headers"},
    {"scope.minSize", "At least this large"},
    {"scope.maxSize", "At most this large"},
    {"matter", "Matter"},
    {"matterName", "Matter"},
    {"silent", "Silent"},
    {"roles", "Roles"},
    {"rules", "Rules"},
    {"mail", "Mail address"},
    {"lists", "Lists"},
    {"graceDays", "Days of grace"},
};

constexpr Entry States[] = {
    {"paused", "Paused: the disk is full"},
    {"waiting", "Waiting"},
    {"approved", "Approved"},
    {"refused", "Refused"},
    {"withdrawn", "Withdrawn"},
    {"asked", "Question asked"},
    {"effective", "In effect"},
    {"scheduled", "Waits for its day"},
    {"expired", "Expired"},
    {"open", "Open"},
    {"closed", "Closed"},
    {"placed", "In force"},
    {"active", "In force"},
    {"in-force", "In force"},
    {"grace", "Grace after release"},
    {"releasing", "Grace after release"},
    {"released", "Released"},
    {"running", "Running"},
    {"queued", "Waiting"},
    {"done", "Ready"},
    {"ready", "Ready"},
    {"complete", "Complete"},
    {"finished", "Complete"},
    {"failed", "Failed"},
    {"cancelled", "Cancelled"},
    {"stopped", "Stopped at the blast limit"},
    {"noticed", "Notice sent"},
    {"notified", "Notice sent"},
    {"reminded", "Reminded"},
    {"acknowledged", "Acknowledged"},
    {"silent", "Not told"},
    {"none", "Not told"},
    {"stored", "Stored"},
    {"destroyed", "Destroyed"},
    {"ok", "Done"},
    {"denied", "Denied"},
    {"error", "Error"},
    {"blocked-by-retention", "Blocked by retention"},
    {"enabled", "On"},
    {"disabled", "Switched off"},
    {"pending", "Pending"},
};

constexpr Entry Tones[] = {
    {"paused", "bad"},
    {"waiting", "wait"},
    {"asked", "wait"},
    {"scheduled", "wait"},
    {"approved", "good"},
    {"effective", "good"},
    {"refused", "bad"},
    {"placed", "wait"},
    {"active", "wait"},
    {"in-force", "wait"},
    {"grace", "wait"},
    {"releasing", "wait"},
    {"running", "wait"},
    {"queued", "wait"},
    {"done", "good"},
    {"ready", "good"},
    {"complete", "good"},
    {"finished", "good"},
    {"failed", "bad"},
    {"stopped", "bad"},
    {"noticed", "wait"},
    {"notified", "wait"},
    {"reminded", "wait"},
    {"acknowledged", "good"},
    {"ok", "good"},
    {"stored", "good"},
    {"denied", "bad"},
    {"error", "bad"},
    {"blocked-by-retention", "wait"},
    {"open", "good"},
    {"enabled", "good"},
    {"destroyed", "quiet"},
    {"pending", "wait"},
};

constexpr Entry Notices[] = {
    {"requested", "A second person must approve this. Nothing has changed yet."},
    {"requested-alone", "Nobody else can approve this, so it waits seven days. Nothing has changed yet."},
    {"one-is-left",
     "The account was changed at once. The one person who is left decides nothing alone for seven days."},
    {"rule-saved", "The rule is in force."},
    {"rule-removed", "The rule is gone."},
    {"matter-created", "The matter is open. Now place its first hold or name its custodians."},
    {"matter-saved", "The matter was saved."},
    {"matter-closed", "The matter is closed."},
    {"note-added", "The note is in the matter."},
    {"custodian-added", "The custodian was added."},
    {"custodian-removed", "The custodian was removed. Holds of the matter stay as they are."},
    {"hold-placed", "The hold is in force, for past mail and for what is still to come."},
    {"acknowledged", "Thank you. Your acknowledgement is on record."},
    {"approved", "You approved it."},
    {"refused", "You refused it. Nothing has changed."},
    {"asked", "Your question was sent to the person who made the request."},
    {"withdrawn", "The request was withdrawn. Nothing has changed."},
    {"reviewed", "The decision is on record."},
    {"search-saved", "The search is saved in the matter."},
    {"search-removed", "The saved search is gone."},
    {"export-removed", "The export was removed. Its chain of custody stays."},
    {"run-started", "The run has started."},
    {"label-set", "The label was set."},
};

}  // namespace

std::string roles(app::Roles roles) {
  using enum app::Role;
  constexpr std::array<std::pair<app::Role, const char*>, 8> All = {{{Admin, "administrator"},
                                                                     {Officer, "compliance officer"},
                                                                     {Approver, "approver"},
                                                                     {Auditor, "auditor"},
                                                                     {Custodian, "key custodian"},
                                                                     {Owner, "list owner"},
                                                                     {Helpdesk, "helpdesk"},
                                                                     {Member, "member"}}};
  std::string text;
  for (const auto& [role, word] : All)
    if (roles.has(role)) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string tier(std::string_view word) {
  return lookUp(Tiers, word);
}
std::string effect(std::string_view word) {
  return lookUp(Effects, word);
}
std::string action(std::string_view word) {
  return lookUp(Actions, word);
}
std::string requestKind(std::string_view word) {
  return lookUp(Kinds, word);
}
std::string matterAct(std::string_view word) {
  return lookUp(MatterActs, word);
}
std::string keptReason(std::string_view word) {
  return lookUp(Kept, word);
}
std::string field(std::string_view word) {
  return lookUp(Fields, word);
}
std::string recordState(std::string_view word) {
  return lookUp(States, word);
}
std::string recordNotice(std::string_view code) {
  return lookUp(Notices, code);
}

std::string clockState(std::string_view word) {
  return word.empty() ? "Trusted" : sentence(word);
}

std::string recordTone(std::string_view word) {
  const auto tone = lookUp(Tones, word);
  return tone == word ? "quiet" : tone;
}

std::string plural(std::uint64_t number, std::string_view one, std::string_view many) {
  return count(number) + " " + std::string(number == 1 ? one : many);
}

}  // namespace postern::webadmin::words
