#include "listd/matters/MatterOrders.h"

#include "listd/orders/Views.h"
#include "listd/search/SearchOrders.h"

#include <algorithm>

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::size_t MaxName = 200;
constexpr std::size_t MaxText = 20'000;
constexpr std::uint32_t OverdueReminders = 3;

const char* stateOfNotices(const std::vector<const HoldNotice*>& notices) {
  if (notices.empty()) return "not-told";
  const auto isOpen = [](const HoldNotice* notice) { return notice->acknowledgedAt == TimePoint(); };
  if (std::none_of(notices.begin(), notices.end(), isOpen)) return "acknowledged";
  const auto isOverdue = [&](const HoldNotice* notice) {
    return isOpen(notice) && notice->reminders >= OverdueReminders;
  };
  return std::any_of(notices.begin(), notices.end(), isOverdue) ? "overdue" : "waiting";
}

json viewOf(const Custodian& custodian, const std::vector<HoldNotice>& all) {
  std::vector<const HoldNotice*> notices;
  for (const auto& notice : all)
    if (notice.address == custodian.address) notices.push_back(&notice);
  TimePoint noticed;
  TimePoint acknowledged;
  TimePoint reminded;
  for (const auto* notice : notices) {
    noticed = std::max(noticed, notice->sentAt);
    acknowledged = std::max(acknowledged, notice->acknowledgedAt);
    reminded = std::max(reminded, notice->remindedAt);
  }
  const std::string state = stateOfNotices(notices);
  return {{"address", custodian.address},
          {"name", custodian.name},
          {"state", state},
          {"noticedAt", toMicros(noticed)},
          {"acknowledgedAt", state == "acknowledged" ? toMicros(acknowledged) : 0},
          {"remindedAt", toMicros(reminded)}};
}

bool isShown(SiteTables& tables, const MatterAct& act, bool silentToo) {
  if (act.holdId == 0 || silentToo) return true;
  const auto hold = tables.holds.find(act.holdId);
  return hold && !hold->hold.silent;
}

json headOf(SiteTables& tables, const Matter& matter, bool silentToo) {
  std::uint64_t open = 0;
  for (const auto& row : tables.holds.forMatter(matter.id))
    if (!row.hold.releasedAt && (silentToo || !row.hold.silent)) ++open;
  return {{"id", matter.id},
          {"name", matter.name},
          {"description", matter.description},
          {"state", matter.open ? "open" : "closed"},
          {"createdAt", toMicros(matter.createdAt)},
          {"createdBy", matter.createdBy},
          {"closedAt", toMicros(matter.closedAt)},
          {"openHolds", open}};
}

json viewOf(SiteTables& tables, const Matter& matter, const OrderCall& call, TimePoint now) {
  const bool silentToo = seesSilent(call);
  auto view = headOf(tables, matter, silentToo);
  const auto notices = tables.holdNotices.ofMatter(matter.id);
  view["custodians"] = json::array();
  for (const auto& custodian : tables.matters.custodiansOf(matter.id))
    view["custodians"].push_back(viewOf(custodian, notices));
  view["holds"] = json::array();
  for (const auto& row : tables.holds.forMatter(matter.id))
    if (silentToo || !row.hold.silent) view["holds"].push_back(listd::viewOf(row, matter.name, now));
  view["notes"] = json::array();
  for (const auto& note : tables.matters.notesOf(matter.id))
    view["notes"].push_back({{"at", toMicros(note.at)}, {"by", note.person}, {"text", note.text}});
  view["team"] = tables.matters.teamOf(matter.id);
  view["log"] = json::array();
  for (const auto& act : tables.matters.actsOf(matter.id))
    if (isShown(tables, act, silentToo))
      view["log"].push_back({{"at", toMicros(act.at)}, {"by", act.person}, {"act", act.act}, {"words", act.words}});
  return view;
}

void describe(const OrderCall& call, const Matter& matter) {
  call.note.objectType = "matter";
  call.note.objectId = std::to_string(matter.id);
  call.note.matterId = matter.id;
}

void requireOpen(const Matter& matter) {
  if (!matter.open) refuse("refused", "the matter \"" + matter.name + "\" is closed");
}

json createMatter(OrderTools& tools, const OrderCall& call) {
  Matter matter;
  matter.name = call.args.text("name", MaxName);
  matter.description = call.args.has("description") ? call.args.bytes("description", MaxText) : std::string();
  matter.createdAt = tools.now();
  matter.createdBy = call.actor.name;
  return change(tools, call, [&](SiteTables& tables) {
    matter.id = tables.matters.add(matter);
    tables.matters.setTeam(matter.id, {call.actor.name});
    noteAct(tables, call, tools.now(), matter.id, matter.name);
    describe(call, matter);
    return viewOf(tables, matter, call, tools.now());
  });
}

json listMatters(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& matter : tables.matters.all()) {
      auto item = headOf(tables, matter, seesSilent(call));
      item["custodians"] = tables.matters.custodiansOf(matter.id).size();
      items.push_back(std::move(item));
    }
    return pageOf(std::move(items), {});
  });
}

json showMatter(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto matter = requireMatter(tables, call);
    auto view = viewOf(tables, matter, call, tools.now());
    if (seesSilent(call)) view["searches"] = savedSearchesOf(tools.context, tables, matter.id);
    view["exports"] = exportsOf(tools, tables, matter.id);
    return view;
  });
}

std::vector<std::string> teamFrom(const OrderCall& call) {
  std::vector<std::string> persons;
  std::string text = call.args.textOr("team", {}, 2000);
  for (std::size_t at = 0; at < text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    auto name = text.substr(at, comma - at);
    name.erase(0, name.find_first_not_of(' '));
    if (!name.empty()) persons.push_back(std::move(name));
    at = comma + 1;
  }
  return persons;
}

json setMatter(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    auto matter = requireMatter(tables, call);
    describe(call, matter);
    matter.name = call.args.has("name") ? call.args.text("name", MaxName) : matter.name;
    if (call.args.has("description")) matter.description = call.args.bytes("description", MaxText);
    tables.matters.update(matter);
    if (call.args.has("team")) tables.matters.setTeam(matter.id, teamFrom(call));
    noteAct(tables, call, tools.now(), matter.id, matter.name);
    return viewOf(tables, matter, call, tools.now());
  });
}

json closeMatter(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    auto matter = requireMatter(tables, call);
    describe(call, matter);
    requireOpen(matter);
    if (tables.holds.anyOpen(matter.id))
      refuse("refused", "holds of this matter are open; closing a matter releases nothing",
             "release each hold first: postern hold list --matter " + std::to_string(matter.id));
    matter.open = false;
    matter.closedAt = tools.now();
    tables.matters.update(matter);
    noteAct(tables, call, tools.now(), matter.id, {});
    return viewOf(tables, matter, call, tools.now());
  });
}

json addMatterNote(OrderTools& tools, const OrderCall& call) {
  const auto text = call.args.bytes("text", MaxText);
  if (text.empty()) refuse("usage", "\"text\" is missing");
  return change(tools, call, [&](SiteTables& tables) {
    const auto matter = requireMatter(tables, call);
    describe(call, matter);
    tables.matters.addNote(matter.id, {tools.now(), call.actor.name, text});
    return viewOf(tables, matter, call, tools.now());
  });
}

json addCustodian(OrderTools& tools, const OrderCall& call) {
  Custodian custodian;
  custodian.address = call.args.address("address").key();
  custodian.name = call.args.textOr("name", {}, MaxName);
  custodian.addedAt = tools.now();
  return change(tools, call, [&](SiteTables& tables) {
    const auto matter = requireMatter(tables, call, "matter");
    describe(call, matter);
    call.note.person("custodian", custodian.address);
    requireOpen(matter);
    custodian.matterId = matter.id;
    if (!tables.matters.addCustodian(custodian))
      refuse("exists", custodian.address + " is a custodian of this matter already");
    noteAct(tables, call, tools.now(), matter.id, custodian.address);
    tellCustodian(tools, tables, matter.id, custodian.address);
    return viewOf(custodian, tables.holdNotices.ofMatter(matter.id));
  });
}

// Ends the reminders; what a hold keeps does not change by it.
json removeCustodian(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  return change(tools, call, [&](SiteTables& tables) {
    const auto matter = requireMatter(tables, call, "matter");
    describe(call, matter);
    call.note.person("custodian", address);
    if (!tables.matters.removeCustodian(matter.id, address, tools.now()))
      refuse("not-found", address + " is not a custodian of this matter");
    noteAct(tables, call, tools.now(), matter.id, address);
    return json{{"address", address}, {"state", "removed"}};
  });
}

constexpr auto OfficerOrAuditor = Role::Officer | Role::Auditor;

constexpr OrderRow Table[] = {
    {"matter.create", OrderKind::Changes, createMatter, {Role::Officer}},
    {"matter.list", OrderKind::Reads, listMatters, {OfficerOrAuditor}},
    {"matter.show", OrderKind::Looks, showMatter, {OfficerOrAuditor}},
    {"matter.set", OrderKind::Changes, setMatter, {Role::Officer}},
    {"matter.close", OrderKind::Changes, closeMatter, {Role::Officer}},
    {"matter.note", OrderKind::Changes, addMatterNote, {Role::Officer}},
    {"custodian.add", OrderKind::Changes, addCustodian, {Role::Officer}},
    {"custodian.remove", OrderKind::Changes, removeCustodian, {Role::Officer}},
};

}  // namespace

Matter requireMatter(SiteTables& tables, const OrderCall& call, std::string_view argument) {
  const auto id = call.args.id(argument);
  auto matter = tables.matters.find(id);
  if (!matter) refuse("not-found", "there is no matter " + std::to_string(id), "see: postern matter list");
  return std::move(*matter);
}

void noteAct(SiteTables& tables, const OrderCall& call, TimePoint now, std::uint64_t matterId, std::string words,
             std::uint64_t holdId) {
  tables.matters.addAct(matterId, {now, call.actor.name, call.order, std::move(words), holdId});
}

std::span<const OrderRow> matterOrders() {
  return Table;
}

}  // namespace postern::listd
