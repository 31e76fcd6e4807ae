#include "core/mail/Text.h"
#include "listd/orders/Views.h"
#include "listd/plan/MemberFacts.h"
#include "listd/subscribe/SubscriptionOrders.h"
#include "listd/subscribe/Subscriptions.h"

namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::size_t MaxToken = 100;
constexpr std::size_t MaxName = 100;
constexpr std::chrono::hours LongestPause{366 * 24};

json viewOfList(SiteTables& tables, const List& list) {
  const auto settings = tables.subscriptions.settings(list.id, list.secure);
  return {{"address", list.address},
          {"displayName", list.displayName},
          {"description", list.description},
          {"secure", list.secure},
          {"open", list.open},
          {"joining", joiningWord(settings.joining)},
          {"leaving", leavingWord(settings.leaving)}};
}

// Only what its owners show to everybody.
json listPublic(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([&](SiteTables& tables) {
    std::map<std::string, json> byAddress;
    for (const auto id : tables.subscriptions.advertised())
      if (const auto list = tables.lists.find(id); list && list->open && list->deletedAt == TimePoint())
        byAddress.emplace(list->address, viewOfList(tables, *list));
    auto items = json::array();
    for (auto& [address, view] : byAddress) items.push_back(std::move(view));
    return pageOf(std::move(items), {});
  });
}

// Of a list that is not advertised, the address and what one can do: who knows the address may ask there.
json about(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const bool byToken = call.args.has("token");
    const auto list = byToken ? listOfAboutToken(tools.context, tables, call.args.text("token", MaxToken))
                              : tables.lists.find(call.args.address("list").key());
    if (!list || list->deletedAt != TimePoint()) refuse("not-found", "there is no such list");
    auto view = viewOfList(tables, *list);
    const bool advertised = tables.subscriptions.settings(list->id, list->secure).advertised;
    if (!advertised && !byToken) view["displayName"] = view["description"] = "";
    return view;
  });
}

// One answer for everything: whether there is such a list, member, or limit.
json ask(OrderTools& tools, const OrderCall& call) {
  const auto list = call.args.address("list").key(), address = call.args.address("address").key();
  const auto action = call.args.word("action", "join", {"join", "leave", "member"});
  const auto name = call.args.textOr("name", {}, MaxName);
  tools.context.site.write([&](SiteTables& tables) {
    const auto known = tables.lists.find(list);
    if (!known) return;
    Asking asking{action, address};
    asking.name = name;
    asking.client = call.actor.client;
    askSubscription(tools.context, tables, *known, asking);
  });
  return json{{"asked", true}};
}

[[noreturn]] void refuseToken() {
  refuse("not-found", "this link is not valid any more", "ask the list for a new one");
}

struct Found {
  SubscriptionRequest request;
  List list;
  bool oldMailbox = true;
};

Found requireRequest(OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  const auto opened = requestOfToken(tools.context, tables, call.args.text("token", MaxToken));
  if (!opened) refuseToken();
  const auto list = tables.lists.find(opened->request.listId);
  if (!list || list->deletedAt != TimePoint()) refuseToken();
  return {opened->request, *list, opened->oldMailbox};
}

bool stillAsked(const Found& found, TimePoint now) {
  return found.request.state == "asked" && found.request.endsAt > now;
}

json membershipOf(SiteTables& tables, const List& list, const std::string& address, TimePoint now) {
  const auto member = tables.members.find(list.id, address);
  if (!member) return nullptr;
  return {{"delivery", member->delivery},
          {"enabled", member->enabled},
          {"paused", member->pausedFrom <= now && now < member->pausedUntil},
          {"pausedFrom", toMicros(member->pausedFrom)},
          {"pausedUntil", toMicros(member->pausedUntil)}};
}

// What a token leads to. Looking changes nothing.
json show(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto token = call.args.text("token", MaxToken);
    if (const auto click = memberOfOneClick(tools.context, tables, token))
      return json{{"action", "one-click"},
                  {"state", "asked"},
                  {"list", viewOfList(tables, click->list)},
                  {"address", click->address}};
    const auto found = requireRequest(tools, tables, call);
    const auto& request = found.request;
    json view{{"action", request.action},
              {"state", request.state == "asked" && !stillAsked(found, tools.now()) ? "expired" : request.state},
              {"list", viewOfList(tables, found.list)},
              {"address", found.oldMailbox ? request.address : request.other},
              {"from", request.address},
              {"to", request.other},
              {"reason", request.reason},
              {"endsAt", toMicros(request.endsAt)}};
    if (request.action == "member") {
      if (!stillAsked(found, tools.now())) refuseToken();
      view["member"] = membershipOf(tables, found.list, request.address, tools.now());
    }
    return view;
  });
}

json outcomeOf(const Found& found, const std::string& outcome) {
  return {{"outcome", outcome}, {"list", found.list.address}, {"address", found.request.address}};
}

// Once: two at a time use it once, since both are on the writer's thread.
json use(OrderTools& tools, const OrderCall& call) {
  const bool refusing = call.args.flag("refuse");
  return change(tools, call, [&](SiteTables& tables) {
    auto found = requireRequest(tools, tables, call);
    if (!stillAsked(found, tools.now()) || found.request.action == "member") refuseToken();
    call.note.objectType = "subscription";
    call.note.objectId = std::to_string(found.request.id);
    call.note.listId = found.list.id;
    call.note.person("address", found.request.address);
    if (refusing) {
      found.request.state = "refused";
      found.request.decidedAt = tools.now();
      tables.subscriptions.update(found.request);
      return outcomeOf(found, "declined");
    }
    auto answer = outcomeOf(found, confirmRequest(tools.context, tables, found.request, found.list, found.oldMailbox));
    const auto member = tables.members.find(found.list.id, found.request.address);
    answer["needsKey"] =
        answer.at("outcome") == "joined" && found.list.secure && member && member->protection == "withheld";
    return answer;
  });
}

// RFC 8058: the token is the whole proof, and a repeat is answered as the first. What its owner wants to decide waits.
json oneClick(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto click = memberOfOneClick(tools.context, tables, call.args.text("token", MaxToken));
    if (!click) refuseToken();
    const auto settings = tables.subscriptions.settings(click->list.id, click->list.secure);
    call.note.objectType = "member";
    call.note.listId = click->list.id;
    call.note.person("address", click->address);
    if (settings.leaving == Leaving::Closed)
      refuse("refused", "members of this list do not leave by themselves", "write to the people who look after it");
    if (settings.leaving == Leaving::Moderate) {
      askOwnersToLetGo(tools.context, tables, click->list, click->address, call.actor.client);
      return json{{"outcome", "waiting"}, {"list", click->list.address}, {"address", click->address}};
    }
    leaveList(tools.context, tables, click->list, click->address, "one-click");
    return json{{"outcome", "left"}, {"list", click->list.address}, {"address", click->address}};
  });
}

TimePoint timeArg(const Args& args, std::string_view name) {
  return fromMicros(static_cast<std::int64_t>(args.number(name, 0, 0, std::uint64_t{1} << 62)));
}

// A member's own settings, by the link that went to the mailbox.
json settings(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto found = requireRequest(tools, tables, call);
    if (found.request.action != "member" || !stillAsked(found, tools.now())) refuseToken();
    auto member = tables.members.find(found.list.id, found.request.address);
    if (!member) refuse("not-found", "this address is not on the list");
    call.note.objectType = "member";
    call.note.listId = found.list.id;
    call.note.person("address", member->address);
    if (call.args.has("newAddress")) {
      const auto to = call.args.address("newAddress").key();
      askAddressChange(tools.context, tables, found.list, member->address, to);
      return json{{"outcome", "asked"}};  // the same whoever the other address is
    }
    member->delivery = call.args.word("delivery", member->delivery, {"each", "none"});
    if (call.args.has("pausedUntil")) {
      member->pausedFrom = std::max(timeArg(call.args, "pausedFrom"), TimePoint());
      member->pausedUntil = timeArg(call.args, "pausedUntil");
      const bool none = member->pausedUntil == TimePoint();
      if (!none && (member->pausedUntil <= tools.now() || member->pausedUntil <= member->pausedFrom ||
                    member->pausedUntil > tools.now() + LongestPause))
        refuse("invalid", "a pause ends after it begins, in the future, and within a year");
      if (none) member->pausedFrom = TimePoint();
    }
    member->receives = receivesAt(*member, tools.now());
    tables.members.update(*member,
                          decideFor(tables, rulesOf(tables, found.list), member->address, member->wish, tools.now()));
    return json{{"outcome", "saved"}};
  });
}

constexpr Access Public{app::Roles()};

constexpr OrderRow Table[] = {
    {"subscribe.lists", OrderKind::Reads, listPublic, Public},
    {"subscribe.about", OrderKind::Reads, about, Public},
    {"subscribe.ask", OrderKind::Reads, ask, Public},  // as key.link-ask: who asks in vain leaves no record
    {"subscribe.show", OrderKind::Reads, show, Public},
    {"subscribe.use", OrderKind::Changes, use, Public},
    {"subscribe.one-click", OrderKind::Changes, oneClick, Public},
    {"subscribe.settings", OrderKind::Changes, settings, Public},
};

}  // namespace

std::span<const OrderRow> publicSubscriptionOrders() {
  return Table;
}

}  // namespace postern::listd
