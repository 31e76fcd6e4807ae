#include "listd/orders/QueueOrders.h"

#include "core/mail/Text.h"
#include "listd/orders/Durations.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/RouteHosts.h"
#include "listd/orders/Views.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds GatewayWait{5000};
constexpr std::chrono::milliseconds LongWait{60'000};  // for an order to very many copies
constexpr std::uint32_t MostLookedAt = 20'000;         // copies, for a page of one list

json askGateway(OrderTools& tools, const std::string& action, const json& request,
                std::chrono::milliseconds wait = GatewayWait) {
  const auto answer = tools.gateway.ask(
      [action, text = request.dump()](app::GatewayLink& link) { return link.askQueue(action, text); }, wait);
  if (!answer)
    refuse("unavailable", "the gateway does not answer, so the queue cannot be seen or changed",
           "look whether postern-gateway runs, then try again");
  return json::parse(*answer);
}

// Lists and recipients are listd's to know: the gateway is asked without them.
struct Known {
  std::string list;
  std::string recipient;
  std::uint64_t post = 0;
};

Known knownOf(SiteTables& tables, std::uint64_t copy) {
  const auto row = tables.ledger.find(copy);
  if (!row) return {};
  const auto post = tables.posts.find(row->postId);
  const auto list = post ? tables.lists.find(post->listId) : std::nullopt;
  return {list ? list->address : std::string(), row->recipient, row->postId};
}

// Support has to find somebody's mail; owners know their members. Others see the state of the machine.
bool maySeeRecipients(const Person& person, const std::string& list) {
  return person.roles.meets(app::Role::Admin | app::Role::Helpdesk) || person.owns(list);
}

json queuedView(const Person& person, const Known& known, json item) {
  item["list"] = known.list;
  item["post"] = known.post;
  item["recipient"] = maySeeRecipients(person, known.list) ? known.recipient : std::string();
  return item;
}

json queueFilter(const OrderCall& call, TimePoint now) {
  json request{{"destination", mail::lowerAscii(call.args.textOr("destination", "", 300))},
               {"state", call.args.word("state", "", {"", "waiting", "active", "held"})},
               {"after", call.args.textOr("after", "", 60)}};
  if (const auto age = call.args.textOr("olderThan", "", 20); !age.empty())
    request["before"] = toMicros(now - std::chrono::seconds(parseDuration(age)));
  return request;
}

bool isPlace(const std::string& text) {
  const auto dot = text.find('.');
  return text.empty() || (dot != text.npos && dot > 0 && dot + 1 < text.size() && text.size() <= 40 &&
                          text.find_first_not_of("0123456789.") == text.npos && text.rfind('.') == dot);
}

json listQueue(OrderTools& tools, const OrderCall& call) {
  const auto limit = call.args.number("limit", 100, 1, 10000);
  const auto list = mail::lowerAscii(call.args.textOr("list", "", 400));
  auto request = queueFilter(call, tools.now());
  auto next = request["after"].get<std::string>();
  if (!isPlace(next))
    refuse("invalid", "\"after\" is no place in the queue", "give the one that the page before named");
  auto items = json::array();
  std::uint64_t seen = 0;
  do {
    request["after"] = next;
    request["limit"] = list.empty() ? limit : std::max<std::uint64_t>(limit, 1000);
    auto page = askGateway(tools, "list", request);
    next = page.at("next").get<std::string>();
    tools.context.site.read([&](SiteTables& tables) {
      for (auto& item : page["items"]) {
        ++seen;
        const auto known = knownOf(tables, item.at("id"));
        if (!list.empty() && known.list != list) continue;
        if (!call.person.mayTouch(known.list)) continue;
        const auto place = std::to_string(item.at("queuedAt").get<std::int64_t>()) + "." + item.at("id").dump();
        items.push_back(queuedView(call.person, known, std::move(item)));
        if (items.size() < limit) continue;
        next = place;
        break;
      }
    });
  } while (!list.empty() && items.size() < limit && !next.empty() && seen < MostLookedAt);
  return pageOf(std::move(items), next);
}

bool isNumber(const std::string& id) {
  return !id.empty() && id.size() <= 20 && id.find_first_not_of("0123456789") == id.npos;
}

[[noreturn]] void refuseUnknown(const std::string& id) {
  refuse("not-found", "copy " + id + " is not in the queue",
         "see: postern queue list; what became of a post shows: postern trace ID");
}

std::uint64_t copyOf(const std::string& id) {
  std::uint64_t key = 0;
  try {
    key = std::stoull(id);
  } catch (const std::out_of_range&) {
  }
  if (key == 0 || key > INT64_MAX) refuseUnknown(id);
  return key;
}

// The trace of a message by its trace id, Message-ID or the like.
std::string traceOf(SiteTables& tables, const Person& person, const std::string& id) {
  auto post = tables.posts.findByAnyId(id);
  if (!post && !id.starts_with('<')) post = tables.posts.findByAnyId("<" + id + ">");
  if (!post) refuse("not-found", "no post has the Message-ID or trace id " + id, "see: postern post list");
  const auto list = tables.lists.find(post->listId);
  if (!person.mayTouch(list ? list->address : std::string()))
    refuse("denied", "this is not one of your lists", "ask an administrator to make you its owner");
  return post->queueId;
}

json attemptsOf(SiteTables& tables, std::uint64_t copy) {
  auto attempts = json::array();
  for (const auto& attempt : tables.ledger.attemptsOf(copy)) attempts.push_back(viewOf(attempt));
  return attempts;
}

// A copy by its number, or all copies of a message that still wait.
json showQueued(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.text("id", 300);
  json items = json::array();
  std::string next;
  std::string trace;
  if (isNumber(id)) {
    auto item = askGateway(tools, "show", {{"id", copyOf(id)}});
    if (item.empty()) refuseUnknown(id);
    items.push_back(std::move(item));
  } else {
    trace = tools.context.site.read([&](SiteTables& tables) { return traceOf(tables, call.person, id); });
    const auto limit = call.args.number("limit", 100, 1, 1000);
    const auto after = call.args.textOr("after", "", 60);
    if (!isPlace(after)) refuse("invalid", "\"after\" is no place in the queue");
    auto page = askGateway(tools, "list", {{"trace", trace}, {"limit", limit}, {"after", after}});
    items = std::move(page["items"]);
    next = page.at("next").get<std::string>();
  }
  return tools.context.site.read([&](SiteTables& tables) {
    auto copies = json::array();
    for (auto& item : items) {
      const std::uint64_t copy = item.at("id");
      const auto known = knownOf(tables, copy);
      if (!call.person.mayTouch(known.list)) {
        if (!trace.empty()) continue;  // the same message went to lists of others
        refuse("denied", "this is not a copy of one of your lists", "ask an administrator to make you its owner");
      }
      auto view = queuedView(call.person, known, std::move(item));
      view["attemptList"] = attemptsOf(tables, copy);
      copies.push_back(std::move(view));
    }
    if (trace.empty()) return copies.at(0);
    return json{{"trace", trace}, {"copies", std::move(copies)}, {"next", next}};
  });
}

json listQueueDestinations(OrderTools& tools, const OrderCall& call) {
  const auto limit = call.args.number("limit", 100, 1, 10000);
  const auto one = mail::lowerAscii(call.args.textOr("destination", "", 300));
  auto answer = askGateway(tools, "destinations", {{"limit", limit}, {"destination", one}});
  for (auto& item : answer["items"]) {
    auto retry = json::array();
    for (const auto& seconds : item.at("retry")) retry.push_back(durationText(seconds.get<std::uint32_t>()));
    item["retry"] = std::move(retry);
    for (const auto* text : {"lastOutcome", "lastHost", "lastReply"})
      if (!item.contains(text)) item[text] = "";
    if (!item.contains("lastAt")) item["lastAt"] = 0;
  }
  answer["next"] = "";
  return answer;
}

// ---- acting ----

// Which copies: one, those of a message, those to a destination, or all.
json whichOf(OrderTools& tools, const OrderCall& call) {
  const bool all = call.args.flag("all");
  const auto id = call.args.textOr("id", "", 300);
  const auto destination = mail::lowerAscii(call.args.textOr("destination", "", 300));
  if (int{all} + int{!id.empty()} + int{!destination.empty()} != 1)
    refuse("usage", "say which copies",
           "give the number of a copy, the trace id or Message-ID of a message, --destination DOMAIN, or --all; see: "
           "postern queue list");
  if (all) return {{"all", true}};
  call.note.objectType = "queue";
  if (!destination.empty()) {
    call.note.objectId = destination;
    return {{"destination", destination}};
  }
  if (isNumber(id)) {
    call.note.objectId = id;
    return {{"ids", {copyOf(id)}}};
  }
  auto trace = tools.context.site.read([&](SiteTables& tables) { return traceOf(tables, call.person, id); });
  if (trace.empty()) refuse("not-found", "the copies of this message cannot be told apart", "name them one by one");
  call.note.objectId = trace;
  return {{"trace", std::move(trace)}};
}

json act(OrderTools& tools, const OrderCall& call, const std::string& action, json more = json::object()) {
  auto request = whichOf(tools, call);
  request["action"] = action;
  request.update(more);
  const bool one = request.contains("ids");
  auto answer = askGateway(tools, "act", request, one ? GatewayWait : LongWait);
  const std::uint64_t changed = answer.at("changed");
  if (one && changed == 0)
    refuse("not-found", "copy " + call.args.text("id", 300) + " is not in the queue, or nothing had to change",
           "see: postern queue list");
  call.note.number("copies", changed);
  answer.erase("ids");
  return change(tools, call, [&](SiteTables&) { return answer; });
}

json retryQueued(OrderTools& tools, const OrderCall& call) {
  return act(tools, call, "retry");
}
json holdQueued(OrderTools& tools, const OrderCall& call) {
  return act(tools, call, "hold");
}
json releaseQueued(OrderTools& tools, const OrderCall& call) {
  return act(tools, call, "release");
}

json dropQueued(OrderTools& tools, const OrderCall& call) {
  const auto reason = call.args.textOr("reason", "", 200);
  if (reason.empty())
    refuse("usage", "a copy is dropped for good, so say why",
           "give --reason TEXT: the ledger and the audit log keep it");
  call.note.reasonText = reason;
  return act(tools, call, "drop", {{"reason", reason}});
}

// "HOST:PORT", as the queue keeps it.
std::string wayOf(const std::string& text) {
  checkRouteHosts(text);
  if (text.find(',') != text.npos)
    refuse("invalid", "a copy is sent to one host", "give one as in mx.example.org:25; several make a route");
  auto host = mail::lowerAscii(text);
  const auto colon = host.rfind(':');
  const bool bareIpv6 = colon != host.npos && host.find(':') != colon && !host.starts_with('[');
  if (bareIpv6) return "[" + host + "]:25";
  return colon == host.npos || host.ends_with(']') ? host + ":25" : host;
}

json rerouteQueued(OrderTools& tools, const OrderCall& call) {
  const bool back = call.args.flag("back");
  const auto host = call.args.textOr("host", "", 300);
  if (back == !host.empty())
    refuse("usage", "say where to", "give HOST[:PORT], or --back for the way of the destination itself");
  const auto via = back ? std::string() : wayOf(host);
  call.note.text("via", via);
  return act(tools, call, "reroute", {{"via", via}});
}

using app::Role;
constexpr app::Roles Watching = Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk;
constexpr Access Watchers{Watching};

constexpr OrderRow Table[] = {
    {"queue.list", OrderKind::Reads, listQueue, {Watching | Role::Owner}},
    {"queue.show", OrderKind::Reads, showQueued, {Watching | Role::Owner, false, ""}},
    {"queue.destinations", OrderKind::Reads, listQueueDestinations, Watchers},
    {"queue.retry", OrderKind::Changes, retryQueued},
    {"queue.hold", OrderKind::Changes, holdQueued},
    {"queue.release", OrderKind::Changes, releaseQueued},
    {"queue.drop", OrderKind::Changes, dropQueued},
    {"queue.reroute", OrderKind::Changes, rerouteQueued},
};

}  // namespace

std::span<const OrderRow> queueOrders() {
  return Table;
}

}  // namespace postern::listd
