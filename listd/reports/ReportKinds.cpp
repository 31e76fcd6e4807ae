#include "core/crypto/Encoding.h"
#include "listd/audit/Sentence.h"
#include "listd/reports/Report.h"
#include "listd/retention/CertificateWriter.h"

#include <algorithm>
#include <chrono>
#include <map>

// What each report holds. docs/orders.md names them, docs/compliance.md says which control each shows.
namespace postern::listd {

using audit::Field;
using nlohmann::json;

namespace {

using app::Role;
constexpr app::Roles Auditors = Role::Auditor;
constexpr app::Roles OfficerOrAuditor = Role::Officer | Role::Auditor;

std::string textOf(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string joined(const json& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word.get<std::string>();
  return text;
}

std::string yesNo(bool yes) {
  return yes ? "yes" : "no";
}

// Rows that are all there at once, cut into pages.
ReportPage pageOfRows(const ReportAsk& ask, const json& rows) {
  const auto offset = std::min<std::uint64_t>(ask.afterNumber(0), rows.size());
  const auto end = std::min<std::uint64_t>(offset + ask.limit, rows.size());
  ReportPage page;
  for (auto i = offset; i < end; ++i) page.rows.push_back(rows.at(i));
  if (end < rows.size()) page.next = std::to_string(end);
  return page;
}

std::string dayOf(std::int64_t day) {
  return formatRfc3339(fromMicros(day * 86'400'000'000)).substr(0, 10);
}

// The first row is the promise itself, whatever the span of time.
ReportPage encryption(const ReportAsk& ask) {
  const auto offset = ask.afterNumber(0);
  return ask.tools.context.site.read([&](SiteTables& tables) {
    ReportPage page;
    if (offset == 0)
      page.rows.push_back({"plaintext on secure lists, ever", "", "all", "secure", "none", "delivered", "", "", "",
                           tables.counters.get(CounterStore::Plaintext)});
    std::optional<std::vector<DeliveryGroup>> own;
    auto& groups = ask.deliveries != nullptr ? *ask.deliveries : own;
    if (!groups) groups = tables.reports.deliveries(ask.span);
    const auto begin = std::min<std::uint64_t>(offset, groups->size());
    const auto end = std::min<std::uint64_t>(begin + ask.limit, groups->size());
    for (auto i = begin; i < end; ++i) {
      const auto& group = (*groups)[i];
      page.rows.push_back({group.exception, dayOf(group.day), group.list, group.secure ? "secure" : "open",
                           group.protection, group.state, group.tlsVersion, group.tlsCipher, group.tlsVerification,
                           group.copies});
    }
    if (end < groups->size()) page.next = std::to_string(end);
    return page;
  });
}

// What the rules say of the newest message of a list: how its mail is treated now.
json coverageOf(const ReportAsk& ask, const ListHoldings& holding, const List& list) {
  json row{"list", list.address, holding.objects, "", "", ""};
  if (holding.newestObject == 0) {
    row[3] = "nothing is kept";
    return row;
  }
  const auto explained = askOrder(ask, "retention.explain", {{"object", holding.newestObject}, {"list", list.address}});
  for (const auto& reference : explained.at("references")) {
    row[3] = textOf(explained, "sentence");
    row[4] = timeCell(reference.at("disposeAt"));
    for (const auto& line : reference.at("lines"))
      if (line.at("decidesDelete").get<bool>() || line.at("decidesRetain").get<bool>())
        row[5] = row[5].get<std::string>() + (row[5] == "" ? "" : "; ") + textOf(line, "name");
  }
  if (row[5] == "") row[5] = "no rule";
  return row;
}

ReportPage retention(const ReportAsk& ask) {
  json rows = json::array();
  const auto rules = askOrder(ask, "rule.list");  // a temporary would be gone while the loop runs
  for (const auto& rule : rules.at("items"))
    rows.push_back({"rule, " + textOf(rule, "tier") + (rule.value("locked", false) ? ", locked" : ""),
                    textOf(rule, "name"), "", textOf(rule, "sentence"), timeCell(rule.at("effectiveFrom")),
                    rule.at("shadowedBy").is_null() ? "" : "no effect before " + textOf(rule, "shadowedBy")});
  const auto holdings = ask.tools.context.site.read([](SiteTables& tables) { return tables.reports.holdings(); });
  for (const auto& holding : holdings) {
    const auto list =
        ask.tools.context.site.read([&](SiteTables& tables) { return tables.lists.find(holding.listId); });
    if (list) rows.push_back(coverageOf(ask, holding, *list));
  }
  return pageOfRows(ask, rows);
}

ReportPage holds(const ReportAsk& ask) {
  json rows = json::array();
  const auto listed = askOrder(ask, "hold.list");
  for (const auto& hold : listed.at("items"))
    rows.push_back({textOf(hold, "id"), textOf(hold, "matterName"), textOf(hold, "name"), textOf(hold, "sentence"),
                    yesNo(hold.at("silent").get<bool>()), textOf(hold, "state"), timeCell(hold.at("placedAt")),
                    textOf(hold, "placedBy"), timeCell(hold.at("releasedAt")), timeCell(hold.at("inForceUntil")),
                    textOf(hold, "objects")});
  return pageOfRows(ask, rows);
}

ReportPage certificates(const ReportAsk& ask) {
  const auto after = ask.afterNumber(0);
  return ask.tools.context.site.read([&](SiteTables& tables) {
    ReportPage page;
    const auto lines = tables.reports.disposals(ask.span, after, ask.limit);
    std::map<std::uint64_t, std::optional<std::uint64_t>> known;  // certificates of runs; a run has many lines
    for (const auto& line : lines) {
      const auto [place, isNew] = known.try_emplace(line.runId);
      if (isNew) place->second = tables.retention.certificateOfRun(line.runId);
      const auto& certificate = place->second;
      page.rows.push_back(
          {std::to_string(line.objectId), line.lists, timeCell(line.receivedAt), line.size, crypto::hex(line.digest),
           std::to_string(line.runId), certificate ? std::to_string(*certificate) : "",
           line.ruleId == 0 ? "deleted by a person"
                            : std::to_string(line.ruleId) + " version " + std::to_string(line.ruleVersion),
           timeCell(line.retainUntil), timeCell(line.destroyedAt), timeCell(line.unrecoverable)});
    }
    if (lines.size() == ask.limit) page.next = std::to_string(lines.back().objectId);
    return page;
  });
}

ReportPage access(const ReportAsk& ask) {
  const auto review = askOrder(ask, "access.review");
  const auto& last = review.value("last", json::object());
  const auto reviewed = last.empty() ? "never" : timeCell(last.at("at")) + " by " + textOf(last, "by");
  json rows = json::array();
  for (const auto& item : review.at("items"))
    rows.push_back({textOf(item, "name"), joined(item.at("roles")), joined(item.at("lists")), textOf(item, "state"),
                    timeCell(item.at("lastSignInAt")), item.at("factors"), item.at("tokens"), reviewed,
                    yesNo(review.at("due").get<bool>())});
  return pageOfRows(ask, rows);
}

audit::EntryView parsed(const AuditRow& row) {
  const auto entry = audit::parseEntry(row.entry);
  if (!entry)
    throw Error(ErrorKind::Store,
                "entry " + std::to_string(row.seq) + " of the audit log is damaged; see: postern audit verify");
  return *entry;
}

using EntryRow = json (*)(SiteTables&, std::uint64_t seq, const audit::EntryView&);

ReportPage entriesOf(const ReportAsk& ask, const std::vector<std::string>& actions, bool refusedOnly, EntryRow rowOf) {
  return ask.tools.context.site.read([&](SiteTables& tables) {
    ReportPage page;
    const auto rows = tables.reports.entries(actions, refusedOnly, ask.span, ask.afterNumber(INT64_MAX), ask.limit);
    for (const auto& row : rows) page.rows.push_back(rowOf(tables, row.seq, parsed(row)));
    if (rows.size() == ask.limit) page.next = std::to_string(rows.back().seq);
    return page;
  });
}

std::string fieldOf(const audit::EntryView& entry, Field field) {
  return std::string(entry[field]);
}

std::string objectOf(const audit::EntryView& entry) {
  const auto id = fieldOf(entry, Field::ObjectId);
  return fieldOf(entry, Field::ObjectType) + (id.empty() ? "" : " " + id);
}

// Texts of searches stay out: within a matter they may be privileged.
ReportPage contentAccess(const ReportAsk& ask) {
  return entriesOf(ask, {"object.read", "search", "export.create", "export.read"}, false,
                   [](SiteTables& tables, std::uint64_t seq, const audit::EntryView& entry) -> json {
                     const auto shown =
                         audit::detailOf(entry, "hits").value_or(audit::detailOf(entry, "objects").value_or(""));
                     return {timeCell(entry.at()),
                             personOf(tables, entry[Field::ActorId]),
                             fieldOf(entry, Field::RoleUsed),
                             fieldOf(entry, Field::Action),
                             objectOf(entry),
                             shown,
                             fieldOf(entry, Field::MatterId),
                             fieldOf(entry, Field::Outcome),
                             fieldOf(entry, Field::ReasonText),
                             seq};
                   });
}

ReportPage signIns(const ReportAsk& ask) {
  return entriesOf(ask,
                   {"user.authenticate", "user.factor", "user.setup", "session.step-up", "break-glass.open",
                    "passkey.sign-in-options"},
                   true, [](SiteTables& tables, std::uint64_t seq, const audit::EntryView& entry) -> json {
                     return {timeCell(entry.at()),
                             personOf(tables, entry[Field::ActorId]),
                             fieldOf(entry, Field::Action),
                             fieldOf(entry, Field::Outcome),
                             fieldOf(entry, Field::ReasonCode),
                             fieldOf(entry, Field::SrcIp),
                             fieldOf(entry, Field::UaClass),
                             seq};
                   });
}

// Every order that changes how the site works: settings, rules, people, keys, and the approvals of such changes.
std::vector<std::string> settingActions() {
  constexpr std::string_view Subjects[] = {"domain", "route",  "list",        "rule", "event",   "retention", "account",
                                           "token",  "access", "break-glass", "keys", "request", "key"};
  std::vector<std::string> actions;
  for (const auto table : orderTables())
    for (const auto& row : table) {
      const bool changes = row.kind == OrderKind::Changes || row.kind == OrderKind::ChangesRouting;
      const auto subject = row.name.substr(0, row.name.find('.'));
      if (changes && std::find(std::begin(Subjects), std::end(Subjects), subject) != std::end(Subjects))
        actions.emplace_back(row.name);
    }
  return actions;
}

ReportPage config(const ReportAsk& ask) {
  return entriesOf(ask, settingActions(), false,
                   [](SiteTables& tables, std::uint64_t seq, const audit::EntryView& entry) -> json {
                     return {timeCell(entry.at()),
                             sentenceOf(tables, entry),
                             fieldOf(entry, Field::Action),
                             objectOf(entry),
                             fieldOf(entry, Field::Outcome),
                             fieldOf(entry, Field::Detail),
                             fieldOf(entry, Field::BeforeDigest),
                             fieldOf(entry, Field::AfterDigest),
                             fieldOf(entry, Field::ReasonText),
                             personOf(tables, entry[Field::ApproverId]),
                             seq};
                   });
}

ReportPage keys(const ReportAsk& ask) {
  const auto status = askOrder(ask, "keys.status");
  const auto& root = status.at("rootKey");
  json rows = json::array();
  rows.push_back(
      {"root key", textOf(root, "source"), "epoch " + textOf(root, "epoch"), timeCell(root.at("since")), ""});
  rows.push_back({"objects under the newest epoch of their list",
                  textOf(status, "current") + " of " + textOf(status, "total"), "", "", ""});
  rows.push_back({"newest backup of keys", "", "kept " + textOf(status.at("backup"), "keepDays") + " days",
                  timeCell(status.at("backup").at("at")), ""});
  for (const auto& epoch : status.at("epochs"))
    rows.push_back({"epoch key of a list", textOf(epoch, "list"), "epoch " + textOf(epoch, "epoch"),
                    timeCell(epoch.at("createdAt")), epoch.at("objects")});
  return pageOfRows(ask, rows);
}

ReportPage auditLog(const ReportAsk& ask) {
  const auto status = askOrder(ask, "audit.status");
  json rows = json::array();
  rows.push_back({"size", textOf(status, "size"), "", timeCell(ask.tools.now())});
  rows.push_back({"root", textOf(status, "root"), "", ""});
  rows.push_back({"newest checkpoint", textOf(status, "checkpointSize"), textOf(status, "checkpoint"),
                  timeCell(status.at("checkpointAt"))});
  rows.push_back({"public key", textOf(status, "publicKey"), "", ""});
  for (const auto& anchor : status.at("anchors"))
    rows.push_back({"anchor " + textOf(anchor, "kind"), textOf(anchor, "size"), textOf(anchor, "state"),
                    timeCell(anchor.at("at"))});
  const auto verified = ask.tools.context.site.read([&](SiteTables& tables) {
    json found = json::array();
    for (const auto& row : tables.reports.entries({"audit.verify"}, false, ask.span, INT64_MAX, 500)) {
      const auto entry = parsed(row);
      found.push_back({"verification by " + personOf(tables, entry[Field::ActorId]), std::to_string(row.seq),
                       audit::detailOf(entry, "result").value_or(""), timeCell(entry.at())});
    }
    return found;
  });
  for (const auto& row : verified) rows.push_back(row);
  return pageOfRows(ask, rows);
}

}  // namespace

const std::vector<ReportKind>& reportKinds() {
  static const std::vector<ReportKind> kinds = {
      {"encryption",
       "Encryption evidence",
       OfficerOrAuditor,
       {"exception", "day", "list", "kind", "protection", "state", "TLS", "cipher", "TLS verification", "copies"},
       encryption},
      {"retention",
       "Retention coverage",
       OfficerOrAuditor,
       {"what", "name", "messages kept", "in words", "date", "decided by"},
       retention},
      {"holds",
       "Holds register",
       OfficerOrAuditor,
       {"hold", "matter", "name", "scope", "silent", "state", "placed", "placed by", "released", "in force until",
        "messages"},
       holds},
      {"certificates",
       "Disposition certificates",
       OfficerOrAuditor,
       {"object", "lists", "received", "bytes", "SHA-256", "run", "certificate", "rule", "kept until", "destroyed",
        "unrecoverable from backups after"},
       certificates},
      {"access",
       "Access review",
       Auditors,
       {"person", "roles", "lists", "state", "last sign-in", "factors", "tokens", "last review", "review due"},
       access},
      {"content-access",
       "Content access by staff",
       Auditors,
       {"at", "person", "role", "action", "object", "messages", "matter", "outcome", "reason", "entry"},
       contentAccess},
      {"sign-ins",
       "Failed sign-ins",
       Auditors,
       {"at", "person", "action", "outcome", "refused because", "address", "program", "entry"},
       signIns},
      {"config",
       "Changes of settings",
       Auditors,
       {"at", "what", "action", "object", "outcome", "details", "before", "after", "reason", "approved by", "entry"},
       config},
      {"keys", "Keys at rest", Auditors, {"what", "value", "note", "since", "messages"}, keys},
      {"audit", "Audit verification", Auditors, {"what", "value", "note", "at"}, auditLog},
  };
  return kinds;
}

}  // namespace postern::listd
