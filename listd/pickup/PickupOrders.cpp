#include "listd/pickup/PickupOrders.h"

#include "listd/pickup/PickupKeeper.h"

#include <algorithm>

// Pick-up as the site's people see it: what waits and whether it was opened, never what it says.
namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::uint32_t MostShown = 200;
constexpr std::uint32_t LongestDays = 365;
constexpr const char* QuestionWarning =
    "Answers to questions are looked up, guessed and forgotten, and NIST SP 800-63B-4 forbids them as proof of a "
    "person. "
    "It is asked besides the passkey or password, never instead. Who forgets the answer must set up anew by mail, and "
    "what waited is then released by you. We advise to leave it off.";

json viewOf(SiteTables& tables, const PickupItem& item, TimePoint now) {
  const auto list = tables.lists.find(item.listId);
  const bool over = item.state == PickupState::Waiting && item.expiresAt <= now;
  return {{"id", std::to_string(item.id)},
          {"post", std::to_string(item.postId)},
          {"list", list ? list->address : ""},
          {"recipient", item.address},
          {"state", over ? "expired" : pickupStateWord(item.state)},
          {"createdAt", toMicros(item.createdAt)},
          {"expiresAt", toMicros(item.expiresAt)},
          {"linkUsedAt", toMicros(item.linkUsedAt)},
          {"resentAt", toMicros(item.resentAt)},
          {"openedAt", toMicros(item.firstOpenedAt)},
          {"openedSession", item.openedSession},
          {"openedNetwork", item.openedNetwork},
          {"openedHow", item.openedHow},
          {"opens", item.opens},
          {"endedAt", toMicros(item.endedAt)},
          {"keyDestroyed", item.keyObject == 0},
          {"reportedAt", toMicros(item.reportedAt)},
          {"report", item.report}};
}

PickupItem requireItem(SiteTables& tables, const OrderCall& call) {
  const auto id = call.args.id("id");
  auto item = tables.pickup.find(id);
  const auto list = item ? tables.lists.find(item->listId) : std::nullopt;
  if (!item || !list || !call.person.mayTouch(list->address))
    refuse("not-found", "there is no pick-up item " + std::to_string(id), "see: postern pickup list");
  call.note.objectType = "pickup";
  call.note.objectId = std::to_string(id);
  call.note.listId = item->listId;
  return std::move(*item);
}

PickupItem requireWaiting(OrderTools& tools, SiteTables& tables, const OrderCall& call) {
  auto item = requireItem(tables, call);
  if (item.state != PickupState::Waiting || item.expiresAt <= tools.now())
    refuse("refused", "this item has ended; its content is out of reach", "send the message again");
  return item;
}

// Whose items are shown: those of one list, of all (0), or of the lists that the person owns.
std::vector<std::uint64_t> listsFor(SiteTables& tables, const OrderCall& call) {
  if (call.args.has("list")) {
    const auto list = requireList(tables, call.args);
    if (!call.person.mayTouch(list.address)) refuse("denied", "this is not one of your lists");
    return {list.id};
  }
  if (!call.person.onlyAsOwner) return {0};
  std::vector<std::uint64_t> ids;
  for (const auto& address : call.person.lists)
    if (const auto list = tables.lists.find(address)) ids.push_back(list->id);
  return ids;
}

json listItems(OrderTools& tools, const OrderCall& call) {
  const auto state = call.args.word("state", "", {"", "waiting", "recalled", "expired", "given-up"});
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 50, 1, MostShown));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto after = call.args.number("after", 0, 0, INT64_MAX);
    std::vector<PickupItem> rows;
    for (const auto id : listsFor(tables, call)) {
      const auto more = tables.pickup.ofList(id, state, after, limit + 1);
      rows.insert(rows.end(), more.begin(), more.end());
    }
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
    json items = json::array();
    for (const auto& item : rows)
      if (items.size() < limit) items.push_back(viewOf(tables, item, tools.now()));
    const bool more = rows.size() > limit;
    return json{{"items", items}, {"next", more ? json(std::to_string(rows[limit - 1].id)) : json()}};
  });
}

json showItem(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return viewOf(tables, requireItem(tables, call), tools.now()); });
}

json recall(OrderTools& tools, const OrderCall& call) {
  const auto items = tools.context.site.read([&](SiteTables& tables) {
    if (!call.args.has("post")) return std::vector<PickupItem>{requireWaiting(tools, tables, call)};
    const auto post = tables.posts.find(call.args.id("post"));
    const auto list = post ? tables.lists.find(post->listId) : std::nullopt;
    if (!list || !call.person.mayTouch(list->address)) refuse("not-found", "there is no such post");
    call.note.objectType = "post";
    call.note.objectId = std::to_string(post->id);
    call.note.listId = list->id;
    return tables.pickup.ofPost(post->id);
  });
  return {{"recalled", recallPickups(tools, call, items)}};
}

json resend(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto item = requireWaiting(tools, tables, call);
    mailPickupLink(tools, tables, item);
    return viewOf(tables, *tables.pickup.find(item.id), tools.now());
  });
}

json extend(OrderTools& tools, const OrderCall& call) {
  const auto days = call.args.number("days", 30, 1, LongestDays);
  call.note.reasonText = call.args.text("reason", 500);
  return change(tools, call, [&](SiteTables& tables) {
    const auto item = requireWaiting(tools, tables, call);
    const auto until = tools.now() + std::chrono::days(days);
    if (until <= item.expiresAt) refuse("refused", "it waits for longer already", "give more days");
    tables.pickup.setExpiry(item.id, until);
    call.note.number("days", days);
    return viewOf(tables, *tables.pickup.find(item.id), tools.now());
  });
}

json release(OrderTools& tools, const OrderCall& call) {
  call.note.reasonText = call.args.text("reason", 500);
  return change(tools, call, [&](SiteTables& tables) {
    const auto item = requireWaiting(tools, tables, call);
    tables.pickup.release(item.id, tools.now());
    return viewOf(tables, *tables.pickup.find(item.id), tools.now());
  });
}

json settingsView(SiteTables& tables, const List& list) {
  const auto settings = tables.pickup.settings(list.id);
  return {{"list", list.address},          {"days", settings.days},
          {"neutral", settings.neutral},   {"replyToList", settings.replyToList},
          {"question", settings.question}, {"warning", settings.question ? QuestionWarning : ""}};
}

json domainRows(SiteTables& tables) {
  json rows = json::array();
  for (const auto& row : tables.pickup.domains()) rows.push_back({{"domain", row.domain}, {"limit", row.limit}});
  return rows;
}

json showSettings(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto view = settingsView(tables, requireList(tables, call.args));
    view["domains"] = domainRows(tables);
    return view;
  });
}

json listDomains(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([&](SiteTables& tables) { return json{{"items", domainRows(tables)}, {"next", ""}}; });
}

// The command line says yes or no, since it could not turn a flag off.
bool switchOf(const Args& args, std::string_view name, bool now) {
  if (!args.has(name)) return now;
  if (args.value(name).is_string()) return args.word(name, "", {"yes", "no"}) == "yes";
  return args.flag(name);
}

json setSettings(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    auto settings = tables.pickup.settings(list.id);
    settings.days = static_cast<std::uint32_t>(call.args.number("days", settings.days, 1, LongestDays));
    settings.neutral = switchOf(call.args, "neutral", settings.neutral);
    settings.replyToList = switchOf(call.args, "replyToList", settings.replyToList);
    settings.question = switchOf(call.args, "question", settings.question);
    tables.pickup.setSettings(list.id, settings);
    call.note.objectType = "list";
    call.note.objectId = std::to_string(list.id);
    call.note.listId = list.id;
    return settingsView(tables, list);
  });
}

// Bytes up to which recipients of the domain get the ciphertext as a file; 0: a link only.
json setDomain(OrderTools& tools, const OrderCall& call) {
  const auto domain = call.args.domain("domain").text();
  const auto limit = call.args.number("limit", 0, 0, 100u << 20);
  return change(tools, call, [&](SiteTables& tables) {
    tables.pickup.setAttachmentLimit(domain, limit == 0 ? std::nullopt : std::optional(limit));
    call.note.objectType = "domain";
    call.note.objectId = domain;
    return json{{"domain", domain}, {"limit", limit}};
  });
}

json endSessions(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  call.note.objectType = "pickup";
  call.note.person("address", address);
  return change(tools, call, [&](SiteTables& tables) {
    tables.recipients.endSessions(address);
    return json{{"address", address}};
  });
}

constexpr app::Roles Watchers = Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk;
constexpr Access List{Watchers | Role::Owner};
constexpr Access Item{Watchers | Role::Owner, false, ""};
constexpr Access Incident{Role::Officer | Role::Owner, false, ""};

constexpr OrderRow Rows[] = {
    {"pickup.list", OrderKind::Reads, listItems, Item},
    {"pickup.show", OrderKind::Reads, showItem, Item},
    {"pickup.recall", OrderKind::Changes, recall, Incident},
    {"pickup.resend", OrderKind::Changes, resend, {Role::Admin | Role::Helpdesk | Role::Owner, false, ""}},
    {"pickup.extend", OrderKind::Changes, extend, Incident},
    {"pickup.release", OrderKind::Changes, release, Incident},
    {"pickup.settings", OrderKind::Reads, showSettings, List},
    {"pickup.set", OrderKind::Changes, setSettings, {Role::Admin | Role::Owner}},
    {"pickup.domain", OrderKind::Changes, setDomain, {Role::Admin}},
    {"pickup.domains", OrderKind::Reads, listDomains, {Watchers}},
    {"pickup.sign-out-all", OrderKind::Changes, endSessions, {Role::Admin | Role::Helpdesk}},
};

}  // namespace

std::size_t recallPickups(OrderTools& tools, const OrderCall& call, const std::vector<PickupItem>& items) {
  call.note.reasonText = call.args.text("reason", 500);
  const auto recalled = change(tools, call, [&](SiteTables& tables) {
    std::size_t count = 0;
    for (const auto& item : items) {
      const auto now = tables.pickup.find(item.id);
      if (!now || now->state != PickupState::Waiting) continue;
      tables.pickup.end(item.id, PickupState::Recalled, tools.now());
      ++count;
    }
    call.note.number("items", count);
    return count;
  });
  destroyEndedPickups(tools.context);
  return recalled;
}

std::span<const OrderRow> pickupOrders() {
  return Rows;
}

}  // namespace postern::listd
