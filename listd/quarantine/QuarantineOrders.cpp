#include "listd/quarantine/QuarantineOrders.h"

#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/archive/Archive.h"
#include "listd/orders/Views.h"
#include "listd/quarantine/Quarantine.h"
#include "listd/reports/OwnerNotice.h"
#include "listd/search/MessageCard.h"

#include <algorithm>
#include <map>

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

constexpr std::uint32_t PageSize = 50;
constexpr std::size_t MostAtOnce = 200;

std::vector<std::string> addressesOf(SiteTables& tables, const HeldMessage& held) {
  std::vector<std::string> addresses;
  for (const auto id : held.lists)
    if (const auto list = tables.lists.find(id)) addresses.push_back(list->address);
  return addresses;
}

json viewOf(SiteTables& tables, const HeldMessage& held) {
  return {{"id", std::to_string(held.id)},
          {"queueId", held.queueId},
          {"object", std::to_string(held.object)},
          {"mailFrom", held.mailFrom},
          {"lists", addressesOf(tables, held)},
          {"recipients", held.recipients},
          {"size", held.size},
          {"cause", held.cause},
          {"detail", held.detail},
          {"heldAt", toMicros(held.heldAt)},
          {"expiresAt", toMicros(held.expiresAt)},
          {"state", held.state == "releasing" ? "released" : held.state},
          {"decidedAt", toMicros(held.decidedAt)},
          {"decidedBy", held.decidedBy},
          {"destroyed", held.destroyed}};
}

// Of a message for several lists each owner sees that it is there; only who owns all of them decides.
bool owns(SiteTables& tables, const OrderCall& call, const HeldMessage& held, bool all) {
  const auto addresses = addressesOf(tables, held);
  const auto mine = [&](const std::string& address) { return call.person.mayTouch(address); };
  return all ? std::all_of(addresses.begin(), addresses.end(), mine)
             : std::any_of(addresses.begin(), addresses.end(), mine);
}

HeldMessage requireHeld(SiteTables& tables, const OrderCall& call, std::uint64_t id, bool all) {
  auto held = tables.quarantine.find(id);
  if (!held || !owns(tables, call, *held, false))
    refuse("not-found", "there is no held message " + std::to_string(id), "see: postern quarantine list");
  if (all && !owns(tables, call, *held, true))
    refuse("denied", "message " + std::to_string(id) + " is for lists of others, too", "ask an administrator");
  return std::move(*held);
}

void requireUndecided(const HeldMessage& held) {
  if (held.state != "held")
    refuse("refused", "message " + std::to_string(held.id) +
                          " was decided on already: " + (held.state == "releasing" ? "released" : held.state));
}

QuarantineStore::Filter filterOf(SiteTables& tables, const OrderCall& call) {
  QuarantineStore::Filter filter;
  const auto state = call.args.word("state", "held", {"held", "released", "deleted", "expired", "all"});
  if (state != "all") filter.state = state;
  const auto cause = call.args.word("cause", "all", {"spam", "policy", "milter", "virus", "all"});
  if (cause != "all") filter.cause = cause;
  filter.from = mail::lowerAscii(call.args.textOr("from", ""));
  if (call.args.has("list") && !call.args.textOr("list", "").empty()) {
    const auto list = requireList(tables, call.args);
    if (!call.person.mayTouch(list.address)) refuse("denied", "this list is another's", "name a list of your own");
    filter.lists = {list.id};
    filter.allLists = false;
  } else if (call.person.onlyAsOwner) {
    filter.allLists = false;
    for (const auto& address : call.person.lists)
      if (const auto list = tables.lists.find(address)) filter.lists.push_back(list->id);
  }
  return filter;
}

json listHeld(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", PageSize, 1, 500));
  const auto before = call.args.number("after", 0, 0, ~std::uint64_t{0} >> 1);
  return tools.context.site.read([&](SiteTables& tables) {
    const auto filter = filterOf(tables, call);
    const auto page = tables.quarantine.page(filter, before, limit + 1);
    auto items = json::array();
    for (std::size_t i = 0; i < std::min<std::size_t>(limit, page.size()); ++i)
      items.push_back(viewOf(tables, page[i]));
    auto result = pageOf(std::move(items), page.size() > limit ? std::to_string(page[limit - 1].id) : std::string());
    result["total"] = tables.quarantine.count(filter);
    return result;
  });
}

json showHeld(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    const auto held = requireHeld(tables, call, call.args.id("id"), false);
    auto view = viewOf(tables, held);
    view["mayDecide"] = owns(tables, call, held, true);
    return view;
  });
}

json attachmentsOf(const mail::MimeTree& tree) {
  auto items = json::array();
  for (const auto& part : tree.parts())
    if (!part.filename.empty())
      items.push_back({{"name", mail::repairUtf8(part.filename)}, {"type", part.type}, {"size", part.size}});
  return items;
}

// Text alone: what is held may be hostile, so that no page is made of it.
json readHeld(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  call.note.objectType = "held message";
  call.note.objectId = std::to_string(id);
  call.note.reasonText = call.args.text("reason", 500);
  const auto held = tools.context.site.read(
      [&](SiteTables& tables) { return requireHeld(tables, call, id, call.person.onlyAsOwner); });
  if (!held.lists.empty()) call.note.listId = held.lists.front();
  const auto content = heldContent(tools.context, held);
  const auto message = mail::Message::parse(content.value_or(std::string()));
  if (!content || !message)
    refuse("refused", "the content of this message cannot be read", "it may be destroyed or damaged");
  if (!call.person.onlyAsOwner)
    tools.context.site.write(
        [&](SiteTables& tables) { tellOwners(tools.context, tables, held.lists, 0, tools.now()); });
  const auto card = MessageCard::read(*content, true);
  return {{"id", std::to_string(id)}, {"subject", card.subject},
          {"from", card.from},        {"to", card.to},
          {"date", card.date},        {"text", card.text},
          {"sealed", card.sealed},    {"attachments", attachmentsOf(mail::MimeTree::parse(*message))}};
}

std::vector<std::uint64_t> idsOf(const Args& args) {
  auto ids = args.has("ids") ? args.ids("ids") : std::vector<std::uint64_t>{args.id("id")};
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty() || ids.size() > MostAtOnce)
    refuse("invalid", "name between 1 and " + std::to_string(MostAtOnce) + " messages", "give their numbers");
  return ids;
}

// Each message is decided on, and recorded, for itself. All are looked at before the first is changed.
template <class Decide>
void decideEach(OrderTools& tools, const OrderCall& call, const std::vector<std::uint64_t>& ids, Decide decide) {
  call.note.objectType = "held message";
  call.note.objectId = std::to_string(ids.front());
  call.note.reasonText = call.args.textOr("reason", "", 500);
  const auto check = [&](SiteTables& tables, std::uint64_t id) {
    auto held = requireHeld(tables, call, id, true);
    requireUndecided(held);
    return held;
  };
  tools.context.site.read([&](SiteTables& tables) {
    for (const auto id : ids) decide(tables, check(tables, id), false);
  });
  for (const auto id : ids) {
    call.note.objectId = std::to_string(id);
    change(tools, call, [&](SiteTables& tables) {
      const auto held = check(tables, id);
      if (!held.lists.empty()) call.note.listId = held.lists.front();
      decide(tables, held, true);
      return 0;
    });
  }
}

void trustAuthor(OrderTools& tools, SiteTables& tables, const OrderCall& call, const HeldMessage& held,
                 const std::string& author) {
  for (const auto list : held.lists) tables.quarantine.trust(list, author, call.actor.name, tools.now());
}

json releaseHeld(OrderTools& tools, const OrderCall& call) {
  const auto ids = idsOf(call.args);
  const bool trust = call.args.flag("trust");
  std::map<std::uint64_t, std::string> authors;
  if (trust)
    for (const auto id : ids) {
      const auto held =
          tools.context.site.read([&](SiteTables& tables) { return requireHeld(tables, call, id, true); });
      authors[id] = authorOf(heldContent(tools.context, held).value_or(std::string()));
      if (authors[id].empty())
        refuse("refused", "message " + std::to_string(id) + " names no single author who could be trusted",
               "release it without trusting its sender");
    }
  decideEach(tools, call, ids, [&](SiteTables& tables, const HeldMessage& held, bool now) {
    if (held.cause == "virus" && !(call.args.flag("infected") && !call.person.onlyAsOwner))
      refuse("refused", "message " + std::to_string(held.id) + " is infected: " + held.detail,
             "only an administrator can release it, who has to say so: --infected");
    const auto object = tables.archive.find(held.object);
    if (!object || object->state != ObjectState::Stored)
      refuse("refused", "the content of message " + std::to_string(held.id) + " is destroyed");
    if (!now) return;
    tables.quarantine.decide(held.id, "releasing", call.actor.name, tools.now());
    if (trust) trustAuthor(tools, tables, call, held, authors.at(held.id));
  });
  finishReleases(tools);
  return {{"released", ids.size()}};
}

json deleteHeld(OrderTools& tools, const OrderCall& call) {
  const auto ids = idsOf(call.args);
  std::vector<HeldMessage> going;
  decideEach(tools, call, ids, [&](SiteTables& tables, const HeldMessage& held, bool now) {
    if (!now) return;
    tables.quarantine.decide(held.id, "deleted", call.actor.name, tools.now());
    going.push_back(held);
  });
  const auto disposed = disposeOf(tools, going);
  return {{"deleted", ids.size()}, {"destroyed", disposed.destroyed}, {"mustBeKept", disposed.kept}};
}

json listTrusted(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& sender : tables.quarantine.trusted())
      if (call.person.mayTouch(sender.list))
        items.push_back({{"list", sender.list},
                         {"address", sender.address},
                         {"addedAt", toMicros(sender.addedAt)},
                         {"addedBy", sender.addedBy}});
    return pageOf(std::move(items), {});
  });
}

json untrust(OrderTools& tools, const OrderCall& call) {
  const auto address = call.args.address("address").key();
  call.note.objectType = "list";
  call.note.person("sender", address);
  return change(tools, call, [&](SiteTables& tables) {
    const auto list = requireList(tables, call.args);
    call.note.objectId = std::to_string(list.id);
    call.note.listId = list.id;
    if (!tables.quarantine.distrust(list.id, address))
      refuse("not-found", address + " is no trusted sender of " + list.address, "see: postern quarantine trusted");
    return json::object();
  });
}

constexpr Access Watching{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner, false, ""};
constexpr Access Reading{Role::Officer | Role::Owner, false, ""};
constexpr Access Deciding{Role::Admin | Role::Owner, false, ""};
constexpr Access OfList{Role::Admin | Role::Owner};

constexpr OrderRow Table[] = {
    {"quarantine.list", OrderKind::Reads, listHeld, Watching},
    {"quarantine.show", OrderKind::Reads, showHeld, Watching},
    {"quarantine.read", OrderKind::Looks, readHeld, Reading},
    {"quarantine.release", OrderKind::Changes, releaseHeld, Deciding},
    {"quarantine.delete", OrderKind::Changes, deleteHeld, Deciding},
    {"quarantine.trusted", OrderKind::Reads, listTrusted, Deciding},
    {"quarantine.untrust", OrderKind::Changes, untrust, OfList},
};

}  // namespace

std::span<const OrderRow> quarantineOrders() {
  return Table;
}

}  // namespace postern::listd
