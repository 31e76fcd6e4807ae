#include "listd/reports/ReportOrders.h"

#include "listd/audit/Sentence.h"
#include "listd/reports/DeliveryReport.h"
#include "listd/reports/EvidencePack.h"
#include "listd/reports/OwnerNotice.h"
#include "listd/reports/Report.h"
#include "listd/retention/RetentionOrders.h"

namespace postern::listd {

using audit::Field;
using nlohmann::json;

namespace {

using app::Role;

constexpr std::uint64_t MostRows = 5000;
constexpr std::uint64_t RowsOfAPage = 1000;
constexpr std::chrono::hours OneDay{24};

// A day given as "until" means all of it.
TimePoint untilOf(const Args& args) {
  const auto until = timeOr(args, "until", fromMicros(INT64_MAX));
  return args.has("until") && args.text("until", 40).size() == 10 ? until + OneDay : until;
}

json report(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.text("name");
  call.note.objectType = "report";
  const auto* kind = findReport(name);
  if (kind == nullptr) {
    std::string names;
    for (const auto& known : reportKinds()) names += (names.empty() ? "" : ", ") + std::string(known.name);
    refuse("not-found", "there is no such report", "one of: " + names);
  }
  call.note.objectId = name;
  if (!call.actor.roles.meets(kind->readers)) refuse("denied", "this report is for auditors", "ask an auditor for it");
  const ReportAsk ask{tools,
                      call,
                      {timeOr(call.args, "from", TimePoint()), untilOf(call.args)},
                      call.args.textOr("after", {}, 20),
                      call.args.number("limit", RowsOfAPage, 1, MostRows)};
  auto document = makeReport(*kind, ask);
  if (call.args.flag("csv")) return {{"name", name}, {"csv", reportCsv(document)}, {"next", document.at("next")}};
  return document;
}

// For owners: who of the staff read mail of their list. Why stays between staff and auditors.
json contentAccessOfList(OrderTools& tools, const OrderCall& call) {
  const auto limit = call.args.number("limit", 100, 1, MostRows);
  const auto before = call.args.textOr("after", {}, 20).empty() ? INT64_MAX : call.args.id("after");
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    const auto rows = tables.reports.contentAccess(list.id, before, limit);
    json items = json::array();
    for (const auto& row : rows) {
      const auto entry = audit::parseEntry(row.entry);
      if (!entry) refuse("broken", "an entry of the audit log is damaged", "tell an auditor");
      // Owners may be whom a silent hold is about; they learn of it when it is over.
      if (!call.actor.roles.has(Role::Auditor) && isSecretMatter(tables, entry->number(Field::MatterId))) continue;
      const auto action = (*entry)[Field::Action];
      items.push_back({{"at", toMicros(entry->at())},
                       {"by", personOf(tables, (*entry)[Field::ActorId])},
                       {"role", std::string((*entry)[Field::RoleUsed])},
                       {"action", action == "object.read"     ? "read"
                                  : action == "export.create" ? "exported"
                                                              : "downloaded an export"},
                       {"object", action == "object.read" ? std::string((*entry)[Field::ObjectId]) : std::string()},
                       {"objects", row.objects}});
    }
    return json{{"items", std::move(items)},
                {"next", rows.size() == limit ? std::to_string(rows.back().seq) : std::string()}};
  });
}

constexpr OrderRow Table[] = {
    {"report", OrderKind::Looks, report, {Role::Officer | Role::Auditor}},
    {"report.delivery",
     OrderKind::Looks,
     deliveryReport,
     {Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner, false, ""}},
    {"evidence.pack", OrderKind::Changes, evidencePack, {Role::Auditor}},
    {"evidence.list", OrderKind::Reads, listEvidence, {Role::Auditor}},
    {"evidence.show", OrderKind::Reads, showEvidence, {Role::Auditor}},
    {"evidence.read", OrderKind::Reads, readEvidence, {Role::Auditor}},
    {"evidence.remove", OrderKind::Changes, dropEvidence, {Role::Auditor}},
    {"list.content-access", OrderKind::Reads, contentAccessOfList, {Role::Owner | Role::Auditor}},
};

}  // namespace

std::span<const OrderRow> reportOrders() {
  return Table;
}

}  // namespace postern::listd
