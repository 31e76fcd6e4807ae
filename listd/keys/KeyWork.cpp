#include "listd/keys/KeyWork.h"

#include "listd/orders/Views.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::days Ahead{30};
constexpr std::uint32_t MostRows = 100;  // of a kind and list; the counts tell of all

json rowOf(const List& list, const MemberKey& key, TimePoint now) {
  auto row = viewOf(key, now);
  row["list"] = list.address;
  return row;
}

bool mayDecide(SiteTables& tables, const Person& person, std::string_view address) {
  const auto all = tables.members.membershipsOf(address);
  return std::all_of(all.begin(), all.end(), [&](const MemberStore::Membership& each) {
    if (!each.secureList) return true;
    const auto list = tables.lists.find(each.member.listId);
    return !list || list->deletedAt != TimePoint() || person.mayTouch(list->address);
  });
}

json showWork(OrderTools& tools, const OrderCall& call) {
  const auto only = call.args.textOr("list", {}, 400).empty() ? std::string() : call.args.address("list").key();
  const auto now = tools.now();
  return tools.context.site.read([&](SiteTables& tables) {
    KeyWorkCounts counts;
    json proposals = json::array(), withheld = json::array(), ending = json::array();
    for (const auto& list : tables.lists.all()) {
      if (list.deletedAt != TimePoint() || !call.person.mayTouch(list.address)) continue;
      if (!only.empty() && list.address != only) continue;
      counts += countKeyWork(tables, list, now);
      for (const auto& key : tables.keys.proposalsOn(list.id, MostRows)) {
        proposals.push_back(rowOf(list, key, now));
        proposals.back()["decidable"] = mayDecide(tables, call.person, key.address);
      }
      for (const auto& key : tables.keys.endingOn(list.id, now, now + Ahead, MostRows))
        ending.push_back(rowOf(list, key, now));
      if (!list.secure) continue;
      MemberFilter filter;
      filter.standing = "withheld";
      for (const auto& member : tables.members.page(list.id, filter, {}, MostRows))
        withheld.push_back({{"list", list.address}, {"address", member.address}, {"reason", member.reason}});
    }
    return json{{"counts", {{"proposals", counts.proposals}, {"withheld", counts.withheld}, {"ending", counts.ending}}},
                {"proposals", std::move(proposals)},
                {"withheld", std::move(withheld)},
                {"ending", std::move(ending)}};
  });
}

constexpr OrderRow Table[] = {
    {"key.work", OrderKind::Reads, showWork, {app::Role::Admin | app::Role::Owner, false, ""}},
};

}  // namespace

KeyWorkCounts& KeyWorkCounts::operator+=(const KeyWorkCounts& more) {
  proposals += more.proposals;
  withheld += more.withheld;
  ending += more.ending;
  return *this;
}

KeyWorkCounts countKeyWork(SiteTables& tables, const List& list, TimePoint now) {
  KeyWorkCounts counts;
  counts.proposals = tables.keys.countProposalsOn(list.id);
  counts.ending = tables.keys.countEndingOn(list.id, now, now + Ahead);
  for (const auto& group : tables.members.counts(list.id))
    if (list.secure && group.standing == "withheld") counts.withheld += group.members;
  return counts;
}

void requireMayDecide(SiteTables& tables, const OrderCall& call, std::string_view address) {
  if (!call.person.onlyAsOwner) return;
  const auto list = tables.lists.find(call.args.address("list").key());
  if (!list || !tables.members.find(list->id, address))
    refuse("not-found", "there is no such member on this list", "see: postern key work");
  if (!mayDecide(tables, call.person, address))
    refuse("denied", "this address is on a secure list that is not yours, and the key would be used there too",
           "ask an administrator to decide");
}

std::span<const OrderRow> keyWorkOrders() {
  return Table;
}

}  // namespace postern::listd
