#include "listd/orders/Views.h"
#include "listd/subscribe/SubscriptionOrders.h"
#include "listd/subscribe/Subscriptions.h"

#include <map>

// Lists of people who are signed in: the account's address, which only administrators set, is the proof that otherwise
// the mailbox gives.
namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::chrono::hours LinkWorksFor{1};

// Nothing when no address tells who it is.
std::string ownAddress(const SiteTables& tables, const OrderCall& call) {
  const auto account = tables.accounts.find(call.person.account);
  if (!account || account->mail.empty())
    refuse("refused", "your account has no mail address, so that nobody could tell which lists are yours",
           "ask an administrator to set it: postern user set NAME --mail ADDRESS");
  for (const auto& other : tables.accounts.all())
    if (other.name != account->name && other.state != "disabled" && other.mail == account->mail)
      refuse("refused", "another account has the same mail address", "ask an administrator to give each its own");
  return account->mail;
}

json rowOf(SiteTables& tables, const List& list, const Member* member, TimePoint now) {
  const auto settings = tables.subscriptions.settings(list.id, list.secure);
  json row{{"list", list.address},
           {"displayName", list.displayName},
           {"description", list.description},
           {"secure", list.secure},
           {"joining", joiningWord(settings.joining)},
           {"leaving", leavingWord(settings.leaving)},
           {"member", member != nullptr}};
  if (member == nullptr) return row;
  row.update({{"delivery", member->delivery},
              {"paused", member->pausedFrom <= now && now < member->pausedUntil},
              {"protection", member->protection},
              {"reason", member->reason},
              {"joinedAt", toMicros(member->joinedAt)}});
  return row;
}

// One's own lists, and those that everybody may see and join.
json mine(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto address = ownAddress(tables, call);
    std::map<std::string, json> rows;
    for (const auto& [member, secure] : tables.members.membershipsOf(address))
      if (const auto list = tables.lists.find(member.listId); list && list->deletedAt == TimePoint())
        rows.emplace(list->address, rowOf(tables, *list, &member, tools.now()));
    for (const auto id : tables.subscriptions.advertised())
      if (const auto list = tables.lists.find(id); list && list->open && list->deletedAt == TimePoint())
        if (tables.subscriptions.settings(id, list->secure).takesRequests())
          rows.emplace(list->address, rowOf(tables, *list, nullptr, tools.now()));
    auto items = json::array();
    for (auto& [address_, row] : rows) items.push_back(std::move(row));
    auto page = pageOf(std::move(items), {});
    page["address"] = address;
    return page;
  });
}

// A token as the mailbox would get it, for the pages and orders that take those of mails.
json askAsOneself(OrderTools& tools, const OrderCall& call) {
  const auto action = call.args.word("action", "member", {"join", "leave", "member"});
  return change(tools, call, [&](SiteTables& tables) {
    SubscriptionRequest request;
    request.address = ownAddress(tables, call);
    const auto list = tables.lists.find(call.args.address("list").key());
    const bool member = list && tables.members.find(list->id, request.address);
    const auto settings = list ? tables.subscriptions.settings(list->id, list->secure) : SubscriptionSettings();
    // A list that is not shown to everybody is answered like none at all, unless one is on it.
    const bool may = list && list->open && list->deletedAt == TimePoint() &&
                     (action == "join" ? settings.advertised && settings.takesRequests() && !member : member);
    if (!may) refuse("not-found", "there is no such list for you", "see: postern subscription mine");
    if (action == "leave" && settings.leaving == Leaving::Closed)
      refuse("refused", "members of this list do not leave by themselves", "write to the people who look after it");
    call.note.objectType = "list";
    call.note.objectId = std::to_string(list->id);
    call.note.listId = list->id;
    if (auto older = tables.subscriptions.open(list->id, action, request.address)) {
      if (older->state == "waiting")
        refuse("exists", "an owner decides about it already", "wait for the mail about it");
      older->state = "expired";
      tables.subscriptions.update(*older);
    }
    request.listId = list->id;
    request.action = action;
    request.origin = "account";
    request.madeAt = tools.now();
    request.endsAt = tools.now() + LinkWorksFor;
    request.id = tables.subscriptions.add(request);
    return json{{"token", requestToken(tools.context, request)}, {"endsAt", toMicros(request.endsAt)}};
  });
}

constexpr OrderRow Table[] = {
    {"subscription.mine", OrderKind::Reads, mine, AnySignedIn},
    {"subscription.mine-ask", OrderKind::Changes, askAsOneself, AnySignedIn},
};

}  // namespace

std::span<const OrderRow> ownSubscriptionOrders() {
  return Table;
}

}  // namespace postern::listd
