#include "listd/subscribe/SubscriptionOrders.h"

#include "core/mail/Text.h"
#include "listd/orders/Views.h"
#include "listd/subscribe/Bans.h"
#include "listd/subscribe/Subscriptions.h"

#include <algorithm>
#include <map>

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::size_t MostAtOnce = 500;
constexpr std::size_t MaxName = 100;

json viewOfSettings(const List& list, const SubscriptionSettings& settings) {
  return {{"list", list.address},
          {"joining", joiningWord(settings.joining)},
          {"leaving", leavingWord(settings.leaving)},
          {"advertised", settings.advertised},
          {"oneClick", settings.oneClick}};
}

json showSettings(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    auto view = viewOfSettings(list, tables.subscriptions.settings(list.id, list.secure));
    view["waiting"] = tables.subscriptions.waitingOf(list.id).count;
    return view;
  });
}

// True or false, or the words of the command line.
bool switchOf(const Args& args, std::string_view name, bool fallback) {
  if (!args.has(name)) return fallback;
  return args.value(name).is_boolean() ? args.flag(name) : args.word(name, "no", {"yes", "no"}) == "yes";
}

json setSettings(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    auto settings = tables.subscriptions.settings(list.id, list.secure);
    const auto joining = call.args.word("joining", joiningWord(settings.joining),
                                        {"open", "confirm", "moderate", "confirm-moderate", "closed", "invitation"});
    const auto leaving =
        call.args.word("leaving", leavingWord(settings.leaving), {"open", "confirm", "moderate", "closed"});
    settings.joining = parseJoining(joining).value();
    settings.leaving = parseLeaving(leaving).value();
    settings.advertised = switchOf(call.args, "advertised", settings.advertised);
    settings.oneClick = switchOf(call.args, "oneClick", settings.oneClick);
    tables.subscriptions.set(list.id, settings);
    return viewOfSettings(list, settings);
  });
}

json viewOfRequest(const SubscriptionRequest& request, const List& list) {
  return {{"id", std::to_string(request.id)},
          {"list", list.address},
          {"action", request.action},
          {"address", request.address},
          {"name", request.name},
          {"origin", request.origin},
          {"state", request.state},
          {"madeAt", toMicros(request.madeAt)},
          {"endsAt", toMicros(request.endsAt)},
          {"decidedBy", request.decidedBy},
          {"reason", request.reason}};
}

// The lists whose requests this person may see; `all` when every list.
struct Scope {
  std::vector<std::uint64_t> lists;
  bool all = true;
};
Scope scopeOf(SiteTables& tables, const OrderCall& call) {
  if (!call.args.textOr("list", {}, 400).empty()) {
    const auto list = requireList(tables, call.args);
    if (!call.person.mayTouch(list.address)) refuse("denied", "this list is another's", "name a list of your own");
    return {{list.id}, false};
  }
  if (!call.person.onlyAsOwner) return {};
  Scope scope{{}, false};
  for (const auto& address : call.person.lists)
    if (const auto list = tables.lists.find(address)) scope.lists.push_back(list->id);
  return scope;
}

json listRequests(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 1000));
  const auto after = call.args.number("after", 0, 0, ~std::uint64_t{0} >> 1);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto scope = scopeOf(tables, call);
    const auto requests = tables.subscriptions.waiting(scope.lists, scope.all, after, limit);
    std::map<std::uint64_t, List> lists;
    auto items = json::array();
    for (const auto& request : requests) {
      if (!lists.contains(request.listId)) lists.emplace(request.listId, tables.lists.find(request.listId).value());
      items.push_back(viewOfRequest(request, lists.at(request.listId)));
    }
    return pageOf(std::move(items), requests.size() == limit ? std::to_string(requests.back().id) : std::string());
  });
}

std::vector<std::uint64_t> idsOf(const Args& args) {
  auto ids = args.has("ids") ? args.ids("ids") : std::vector<std::uint64_t>{args.id("id")};
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty() || ids.size() > MostAtOnce)
    refuse("invalid", "name one to " + std::to_string(MostAtOnce) + " requests at once");
  return ids;
}

// All or none: a request that somebody else decided meanwhile refuses the whole, so that the person looks again.
json decide(OrderTools& tools, const OrderCall& call) {
  const auto ids = idsOf(call.args);
  const bool grant = call.args.word("decision", "", {"grant", "refuse"}) == "grant";
  const auto reason = call.args.textOr("reason", {}, 500);
  return change(tools, call, [&](SiteTables& tables) {
    auto items = json::array();
    for (const auto id : ids) {
      const auto request = tables.subscriptions.find(id);
      const auto list = request ? tables.lists.find(request->listId) : std::nullopt;
      if (!list || !call.person.mayTouch(list->address) || request->state == "asked" || request->action == "member")
        refuse("not-found", "there is no request " + std::to_string(id) + " that waits",
               "see: postern subscription list");
      if (request->state != "waiting")
        refuse("refused", "request " + std::to_string(id) + " was decided on already: " + request->state);
      const auto outcome = decideRequest(tools.context, tables, *request, *list, grant, reason, call.actor.name);
      items.push_back({{"id", std::to_string(id)}, {"list", list->address}, {"outcome", outcome}});
    }
    call.note.objectType = "subscription";
    call.note.objectId = ids.size() == 1 ? std::to_string(ids.front()) : std::string();
    call.note.reasonText = reason;
    call.note.text("decision", grant ? "grant" : "refuse").number("requests", ids.size());
    return json{{"items", std::move(items)}};
  });
}

json invite(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  const auto name = call.args.textOr("name", {}, MaxName);
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    if (!list.open) refuse("refused", list.address + " is closed", "a closed list takes no members");
    if (const auto ban = banOf(tables, list.id, address))
      refuse("refused", address + " is banned by the pattern " + ban->pattern, "see: postern ban list");
    if (tables.members.find(list.id, address))
      refuse("exists", address + " is a member of " + list.address + " already");
    Asking asking{"invite", address};
    asking.name = name;
    asking.origin = "owner";
    if (!inviteToList(tools.context, tables, list, asking))
      refuse("refused", address + " got mail about this list today, or too much mail of the kind was sent",
             "invite again tomorrow");
    return json{{"address", address}, {"endsAt", toMicros(tools.now() + InvitedFor)}};
  });
}

json viewOfBan(const Ban& ban, const std::string& list) {
  return {{"id", std::to_string(ban.id)}, {"list", list},         {"pattern", ban.pattern},
          {"reason", ban.reason},         {"madeBy", ban.madeBy}, {"madeAt", toMicros(ban.madeAt)}};
}

// Of a list, or without one of the whole site, which is the administrators' alone.
std::optional<List> banScope(SiteTables& tables, const OrderCall& call) {
  if (!call.args.textOr("list", {}, 400).empty()) {
    auto list = requireList(tables, call.args);
    if (!call.person.mayTouch(list.address)) refuse("denied", "this list is another's", "name a list of your own");
    return list;
  }
  if (call.person.onlyAsOwner)
    refuse("denied", "bans for every list are the administrators'", "name a list of your own");
  return std::nullopt;
}

json addBan(OrderTools& tools, const OrderCall& call) {
  const auto pattern = banPattern(call.args.text("pattern", 300));
  if (!pattern)
    refuse("invalid", "that is no pattern of a ban",
           "an address, @ and a domain, or an address with * in it, as in *@*.example.org");
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = banScope(tables, call);
    Ban ban{0, list ? list->id : 0, *pattern, call.args.textOr("reason", {}, 300), tools.now(), call.actor.name};
    ban.id = tables.subscriptions.addBan(ban);
    if (ban.id == 0) refuse("exists", *pattern + " is banned there already");
    call.note.objectType = "ban";
    call.note.objectId = std::to_string(ban.id);
    call.note.listId = ban.listId;
    call.note.reasonText = ban.reason;
    call.note.person("pattern", *pattern);
    return viewOfBan(ban, list ? list->address : std::string());
  });
}

json listBans(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = banScope(tables, call);
    auto items = json::array();
    for (const auto& ban : tables.subscriptions.bans(list ? list->id : 0))
      items.push_back(viewOfBan(ban, list ? list->address : std::string()));
    return pageOf(std::move(items), {});
  });
}

json removeBan(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  return change(tools, call, [&](SiteTables& tables) {
    const auto ban = tables.subscriptions.findBan(id);
    const auto list = ban && ban->listId != 0 ? tables.lists.find(ban->listId) : std::nullopt;
    const bool mine = ban && (!call.person.onlyAsOwner || (list && call.person.mayTouch(list->address)));
    if (!mine) refuse("not-found", "there is no ban " + std::to_string(id), "see: postern ban list");
    tables.subscriptions.removeBan(id);
    call.note.objectType = "ban";
    call.note.objectId = std::to_string(id);
    call.note.listId = ban->listId;
    call.note.person("pattern", ban->pattern);
    return json::object();
  });
}

constexpr app::Roles Watching = Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner;
constexpr Access OwnList{Watching};
constexpr Access AdminOrOwner{Role::Admin | Role::Owner};
constexpr Access Own{Role::Admin | Role::Owner, false, ""};  // the handlers look whose list it is

constexpr OrderRow Table[] = {
    {"subscription.show", OrderKind::Reads, showSettings, OwnList},
    {"subscription.set", OrderKind::Changes, setSettings, AdminOrOwner},
    {"subscription.list", OrderKind::Reads, listRequests, Own},
    {"subscription.decide", OrderKind::Changes, decide, Own},
    {"subscription.invite", OrderKind::Changes, invite, AdminOrOwner},
    {"member.sync", OrderKind::Changes, syncMembers, AdminOrOwner},
    {"ban.add", OrderKind::Changes, addBan, Own},
    {"ban.list", OrderKind::Reads, listBans, Own},
    {"ban.remove", OrderKind::Changes, removeBan, Own},
};

}  // namespace

std::span<const OrderRow> subscriptionOrders() {
  return Table;
}

}  // namespace postern::listd
