#include "listd/audit/AuditOrders.h"

#include "core/audit/Export.h"
#include "core/audit/Verify.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"
#include "listd/audit/Checkpoints.h"
#include "listd/audit/Sentence.h"
#include "listd/orders/Views.h"

#include <algorithm>

namespace postern::listd {

using audit::Field;
using nlohmann::json;

namespace {

using app::Role;

constexpr std::chrono::hours AnchorsGoStale{24};
constexpr std::uint64_t MostRows = 500;
constexpr std::uint64_t EntriesOfAPage = 1000;

json hexList(const audit::Proof& hashes) {
  auto list = json::array();
  for (const auto& hash : hashes) list.push_back(crypto::hex(hash));
  return list;
}

audit::EntryView parsed(const AuditRow& row) {
  const auto entry = audit::parseEntry(row.entry);
  if (!entry)
    throw Error(ErrorKind::Store,
                "entry " + std::to_string(row.seq) + " of the audit log is damaged; see: postern audit verify");
  return *entry;
}

// Entries about silent holds are for those who may know of them. Others see that there is an entry, and its proofs.
bool isHidden(SiteTables& tables, const audit::EntryView& entry, app::Roles roles) {
  if (roles.meets(Role::Officer | Role::Approver)) return false;
  const auto isSilent = [&](std::uint64_t hold) {
    const auto row = tables.holds.find(hold);
    return row && row->hold.silent;
  };
  const auto isConfidential = [&](std::uint64_t request) {
    const auto found = tables.requests.find(request);
    return found && found->confidential;
  };
  const auto id = entry.number(Field::ObjectId);
  if (entry[Field::ObjectType] == "hold" && id != 0 && isSilent(id)) return true;
  if (const auto hold = audit::detailOf(entry, "hold"); hold && isSilent(std::strtoull(hold->c_str(), nullptr, 10)))
    return true;
  if (entry[Field::ObjectType] == "request" && id != 0 && isConfidential(id)) return true;
  return entry.number(Field::RequestId) != 0 && isConfidential(entry.number(Field::RequestId));
}

json hiddenRow(std::uint64_t seq) {
  return {{"seq", seq},       {"at", 0},         {"actor", ""},
          {"actorId", ""},    {"actorKind", ""}, {"action", ""},
          {"object", ""},     {"matter", 0},     {"outcome", "ok"},
          {"reasonCode", ""}, {"reason", ""},    {"sentence", "This entry is about something that you may not see."}};
}

json rowOf(SiteTables& tables, const AuditRow& row, app::Roles roles) {
  const auto entry = parsed(row);
  if (isHidden(tables, entry, roles)) return hiddenRow(row.seq);
  return {{"seq", row.seq},
          {"at", toMicros(entry.at())},
          {"actor", personOf(tables, entry[Field::ActorId])},
          {"actorId", std::string(entry[Field::ActorId])},
          {"actorKind", std::string(entry[Field::ActorKind])},
          {"action", std::string(entry[Field::Action])},
          {"object", std::string(entry[Field::ObjectType]) +
                         (entry[Field::ObjectId].empty() ? "" : " " + std::string(entry[Field::ObjectId]))},
          {"matter", entry.number(Field::MatterId)},
          {"outcome", std::string(entry[Field::Outcome])},
          {"reasonCode", std::string(entry[Field::ReasonCode])},
          {"reason", std::string(entry[Field::ReasonText])},
          {"sentence", sentenceOf(tables, entry)}};
}

// "hold 12" or "hold": type and id of an object.
void readObject(AuditFilter& filter, const std::string& object) {
  const auto space = object.find(' ');
  filter.objectType = object.substr(0, space);
  if (space != std::string::npos) filter.objectId = object.substr(space + 1);
}

TimePoint timeOf(const Args& args, std::string_view name) {
  return fromMicros(static_cast<std::int64_t>(args.number(name, 0, 0, INT64_MAX)));
}

AuditFilter filterOf(const OrderCall& call) {
  const auto& args = call.args;
  AuditFilter filter;
  filter.actor = args.textOr("actor", {}, 400);
  filter.action = args.textOr("action", {}, 100);
  readObject(filter, args.textOr("object", {}, 300));
  filter.matterId = args.number("matter", 0, 0, INT64_MAX);
  filter.outcome = args.word("outcome", "", {"", "ok", "denied", "error", "blocked-by-retention"});
  filter.from = timeOf(args, "from");
  filter.until = timeOf(args, "until");
  filter.before = args.has("after") && !args.textOr("after", {}, 20).empty() ? args.id("after") : INT64_MAX;
  filter.limit = args.number("limit", 50, 1, MostRows);
  // An officer sees what concerns a matter, not the whole site.
  if (call.actor.roles.has(Role::Officer) && !call.actor.roles.has(Role::Auditor) && filter.matterId == 0)
    refuse("refused", "a compliance officer reads the log of a matter only", "name the matter, or ask an auditor");
  return filter;
}

// "Own" is a matter that the officer opened or whose team names the officer.
void requireOwnMatter(SiteTables& tables, const OrderCall& call, std::uint64_t matterId) {
  if (call.actor.roles.has(Role::Auditor) || !call.actor.roles.has(Role::Officer)) return;
  const auto matter = tables.matters.find(matterId);
  auto team = tables.matters.teamOf(matterId);
  if (matter) team.push_back(matter->createdBy);
  const bool own =
      std::any_of(team.begin(), team.end(), [&](const auto& name) { return samePerson(name, call.actor.name); });
  if (!matter || !own) refuse("denied", "a compliance officer reads the log of own matters only", "ask an auditor");
}

json listEntries(OrderTools& tools, const OrderCall& call) {
  const auto filter = filterOf(call);
  return tools.context.site.read([&](SiteTables& tables) {
    requireOwnMatter(tables, call, filter.matterId);
    const auto rows = tables.audit.list(filter);
    auto items = json::array();
    // Who asks for one thing must not learn by a hidden row that it is there.
    const bool everything = filter.actor.empty() && filter.action.empty() && filter.objectType.empty() &&
                            filter.matterId == 0 && filter.outcome.empty();
    for (const auto& row : rows)
      if (everything || !isHidden(tables, parsed(row), call.actor.roles))
        items.push_back(rowOf(tables, row, call.actor.roles));
    auto page = pageOf(std::move(items), rows.size() < filter.limit ? "" : std::to_string(rows.back().seq));
    page["size"] = tables.audit.size();
    return page;
  });
}

json fieldsOf(const audit::EntryView& entry) {
  auto fields = json::object();
  for (std::size_t i = 0; i < audit::FieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    fields[audit::fieldName(field)] = std::string(entry[field]);
  }
  return fields;
}

json showEntry(OrderTools& tools, const OrderCall& call) {
  const auto seq = call.args.id("seq");
  return tools.context.site.read([&](SiteTables& tables) {
    const auto log = tables.audit.file();
    const auto bytes = log.entry(seq);
    if (!bytes) refuse("not-found", "there is no entry " + std::to_string(seq), "see: postern audit list");
    const auto entry = parsed({seq, *bytes});
    if (isHidden(tables, entry, call.actor.roles))
      refuse("denied", "this entry is about something that you may not see", "its proof stands in audit.export");
    json result{{"entry", fieldsOf(entry)},      {"row", rowOf(tables, {seq, *bytes}, call.actor.roles)},
                {"raw", crypto::base64(*bytes)}, {"leafHash", crypto::hex(audit::leafHash(*bytes))},
                {"proof", json::array()},        {"checkpoint", ""}};
    if (const auto checkpoint = log.checkpointOf(seq + 1)) {
      result["proof"] = hexList(audit::inclusionProof(seq, checkpoint->size, log.nodes()));
      result["checkpoint"] = checkpoint->note;
    }
    return result;
  });
}

json lastVerification(SiteTables& tables) {
  AuditFilter filter;
  filter.action = "audit.verify";
  filter.limit = 1;
  const auto rows = tables.audit.list(filter);
  if (rows.empty()) return nullptr;
  const auto entry = parsed(rows.front());
  return {{"at", toMicros(entry.at())}, {"result", audit::detailOf(entry, "result").value_or("")}};
}

std::vector<std::string> anchorKinds(const config::SiteConfig& config) {
  std::vector<std::string> kinds = {"file"};
  if (!config.auditMail.empty()) kinds.emplace_back("mail");
  if (!config.auditSyslog.empty()) kinds.emplace_back("syslog");
  if (!config.timestampUrl.empty()) kinds.emplace_back("timestamp");
  return kinds;
}

json statusOfLog(OrderTools& tools, const OrderCall&) {
  const auto publicKey = tools.context.keys.siteKeyPublicPart("audit").value_or("");
  const auto now = tools.now();
  return tools.context.site.read([&](SiteTables& tables) {
    auto anchors = json::array();
    TimePoint last;
    std::uint64_t covered = 0;
    for (const auto& kind : anchorKinds(tools.context.config)) {
      const auto anchor = tables.audit.newestAnchor(kind).value_or(AuditAnchorRow{kind, 0, {}, {}});
      const bool never = toMicros(anchor.at) == 0;
      const auto* state = never ? "missing" : now - anchor.at > AnchorsGoStale ? "stale" : "fresh";
      anchors.push_back({{"kind", kind}, {"at", toMicros(anchor.at)}, {"size", anchor.size}, {"state", state}});
      last = std::max(last, anchor.at);
      covered = std::max(covered, anchor.size);
    }
    const auto checkpoint = tables.audit.file().newestCheckpoint();
    return json{{"size", tables.audit.size()},
                {"root", crypto::hex(tables.audit.root())},
                {"checkpointAt", checkpoint ? toMicros(checkpoint->at) : 0},
                {"checkpointSize", checkpoint ? checkpoint->size : 0},
                {"checkpoint", checkpoint ? checkpoint->note : ""},
                {"anchors", anchors},
                {"lastAnchoredAt", toMicros(last)},
                {"coverage", covered},
                {"state", now - last > AnchorsGoStale ? "red" : "green"},
                {"publicKey", publicKey},
                {"verify", lastVerification(tables)}};
  });
}

json verifyNow(OrderTools& tools, const OrderCall& call) {
  const auto key = audit::VerifierKey::parse(tools.context.keys.siteKeyPublicPart("audit").value_or(""));
  if (!key) refuse("unavailable", "the audit log has no key yet");
  const auto verdict = tools.context.site.read([&](SiteTables& tables) {
    audit::VerifyOptions options;
    options.keys = {*key};
    options.anchors = tables.audit.anchoredNotes();
    options.now = tools.now();
    return audit::verifyLog(tables.audit.file(), options);
  });
  call.note.objectType = "audit";
  call.note.text("result", verdict.text).number("exit", static_cast<std::uint64_t>(verdict.finding));
  return {{"exit", static_cast<int>(verdict.finding)},
          {"result", verdict.text},
          {"firstBad", verdict.seq ? json(*verdict.seq) : json(nullptr)},
          {"size", verdict.size},
          {"root", crypto::hex(verdict.root)},
          {"anchored", verdict.anchoredSize}};
}

json proveConsistency(OrderTools& tools, const OrderCall& call) {
  const auto from = call.args.id("from");
  const auto to = call.args.id("to");
  return tools.context.site.read([&](SiteTables& tables) {
    const auto log = tables.audit.file();
    if (from > to || to > tables.audit.size())
      refuse("invalid", "\"from\" and \"to\" must be sizes of the log, the smaller one first",
             "the log has " + std::to_string(tables.audit.size()) + " entries");
    return json{
        {"proof", hexList(audit::consistencyProof(from, to, log.nodes()))},
        {"roots", {crypto::hex(audit::rootOf(from, log.nodes())), crypto::hex(audit::rootOf(to, log.nodes()))}}};
  });
}

json exportEntries(OrderTools& tools, const OrderCall& call) {
  const auto publicKey = tools.context.keys.siteKeyPublicPart("audit").value_or("");
  const auto from = call.args.number("from", 0, 0, INT64_MAX);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto size = tables.audit.size();
    const auto wanted = std::min(call.args.number("to", size, 0, INT64_MAX), size);
    const auto to = std::min(wanted, from + EntriesOfAPage);
    std::string lines;
    audit::exportLog(
        tables.audit.file(), from, to, [&](std::string_view line) { lines += line; },
        [&](const audit::EntryView& entry) { return isHidden(tables, entry, call.actor.roles); });
    const auto checkpoint = tables.audit.file().newestCheckpoint();
    call.note.objectType = "audit";
    call.note.number("from", from).number("to", to);
    return json{{"jsonl", lines},
                {"checkpoint", checkpoint ? checkpoint->note : ""},
                {"publicKey", publicKey},
                {"next", to < wanted ? std::to_string(to) : ""}};
  });
}

// Not recorded as an order: the checkpoint is its own record, and an entry for each would ask for the next one.
json checkpointNow(OrderTools& tools, const OrderCall&) {
  const auto checkpoint = makeCheckpoint(tools.context, CheckpointIf::Changed);
  if (!checkpoint) refuse("unavailable", "the audit log is empty");
  return {{"size", checkpoint->size},
          {"at", toMicros(checkpoint->at)},
          {"checkpoint", checkpoint->note},
          {"publicKey", auditKey(tools.context).verifier().text()}};
}

json noteAnchored(OrderTools& tools, const OrderCall& call) {
  AuditAnchorRow anchor;
  anchor.kind = call.args.word("kind", "", {"file", "mail", "syslog", "timestamp"});
  anchor.size = call.args.id("size");
  anchor.receipt = call.args.textOr("receipt", {}, 20000);
  anchor.at = tools.now();
  call.note.objectType = "audit";
  call.note.text("kind", anchor.kind).number("size", anchor.size);
  return change(tools, call, [&](SiteTables& tables) {
    const auto checkpoint = tables.audit.file().checkpointOf(anchor.size);
    if (!checkpoint || checkpoint->size != anchor.size)
      refuse("not-found", "there is no checkpoint of " + std::to_string(anchor.size) + " entries",
             "give the size that audit.checkpoint answered");
    tables.audit.addAnchor(anchor);
    return json{{"kind", anchor.kind}, {"size", anchor.size}, {"at", toMicros(anchor.at)}};
  });
}

// What those who run the site did stays theirs: nobody may do something and then make its record anonymous. A name
// without @ is an account of this machine.
bool isStaff(SiteTables& tables, const std::string& name) {
  const auto accounts = tables.accounts.all();
  return name.find('@') == std::string::npos || std::any_of(accounts.begin(), accounts.end(), [&](const auto& account) {
           return mail::equalsIgnoreCase(account.name, name) || mail::equalsIgnoreCase(account.mail, name);
         });
}

json erasePerson(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.text("address", 400);
  call.note.objectType = "person";  // and no word of whom
  call.note.reasonText = call.args.text("reason", 1000);
  return change(tools, call, [&](SiteTables& tables) {
    if (isStaff(tables, name))
      refuse("refused", "this person has an account here, and answers for what was done with it",
             "their history stays with the log, for as long as that is kept");
    if (!tables.audit.erasePerson(name))
      refuse("not-found", "the audit log knows no such person", "give the address as it was used");
    return json{{"erased", true}};
  });
}

constexpr Access Auditors{Role::Auditor};
constexpr Access AuditorsAndAdmins{Role::Auditor | Role::Admin};

constexpr OrderRow Table[] = {
    {"audit.list", OrderKind::Reads, listEntries, {Role::Auditor | Role::Officer}},
    {"audit.show", OrderKind::Reads, showEntry, Auditors},
    {"audit.status", OrderKind::Reads, statusOfLog, AuditorsAndAdmins},
    {"audit.verify", OrderKind::Looks, verifyNow, Auditors},
    {"audit.consistency", OrderKind::Reads, proveConsistency, Auditors},
    {"audit.export", OrderKind::Looks, exportEntries, Auditors},
    {"audit.checkpoint", OrderKind::Reads, checkpointNow, {Role::Admin}},
    {"audit.anchored", OrderKind::Changes, noteAnchored, {Role::Admin}},
    {"audit.erase-person", OrderKind::Changes, erasePerson, {Role::Officer, true}},
};

}  // namespace

std::span<const OrderRow> auditOrders() {
  return Table;
}

}  // namespace postern::listd
