#include "listd/audit/OrderEvents.h"

#include "listd/orders/OrderTools.h"

namespace postern::listd {
namespace {

constexpr app::Role AllRoles[] = {app::Role::Admin,     app::Role::Officer, app::Role::Approver, app::Role::Auditor,
                                  app::Role::Custodian, app::Role::Owner,   app::Role::Helpdesk, app::Role::Member};

std::string rolesOf(const app::Actor& actor) {
  std::string words;
  for (const auto role : AllRoles)
    if (actor.roles.has(role)) words += (words.empty() ? "" : " ") + std::string(app::roleWord(role));
  return words;
}

void fillActor(audit::Event& event, const app::Actor& actor) {
  const bool person = actor.kind == "web" || actor.kind == "api";
  if (event.actorKind.empty()) event.actorKind = person ? "user" : actor.kind;
  if (event.actor.empty()) event.actor = actor.name;
  if (event.roleUsed.empty()) event.roleUsed = rolesOf(actor);
  if (event.auth.empty() && actor.kind == "api") event.auth = "token";
  if (event.auth.empty() && actor.kind == "cli") event.auth = "unix-peer";
  if (event.sessionRef.empty()) event.sessionRef = actor.session;
  if (event.sourceIp.empty()) event.sourceIp = actor.client;
  if (event.uaClass.empty()) event.uaClass = actor.kind == "web" ? "browser" : actor.kind;
}

std::string textOf(const Args& args, std::string_view name) {
  try {
    return args.textOr(name, {}, 400);
  } catch (const app::OrderRefused&) {
    return {};  // not a line of text; the handler refuses it or does not use it
  }
}

// A list by its number. An address that is none of our lists may be a person's.
void addList(audit::Event& event, SiteTables& tables, const std::string& address) {
  if (address.empty()) return;
  if (const auto list = tables.lists.find(address))
    event.listId = list->id;
  else
    event.person("list", address);
}

// Whoever guesses at the sign-in may type anything, their password too.
void addAccount(audit::Event& event, SiteTables& tables, const std::string& name) {
  if (!name.empty() && tables.accounts.find(name)) event.person("account", name);
}

void fillObject(audit::Event& event, SiteTables& tables, const OrderCall& call) {
  const auto noun = call.order.substr(0, call.order.find('.'));
  const auto address = textOf(call.args, "address");
  const auto name = textOf(call.args, "name");
  event.objectType = noun;
  addList(event, tables, textOf(call.args, "list"));
  if (noun == "list") {
    addList(event, tables, address);
    if (event.listId != 0) event.objectId = std::to_string(event.listId);
    return;
  }
  if (noun == "domain" || noun == "route") {
    event.objectId = noun == "domain" ? name : textOf(call.args, "domain");
    return;
  }
  for (const auto* argument : {"id", "fingerprint"})
    if (event.objectId.empty()) event.objectId = textOf(call.args, argument);
  // What a person typed where an id belongs may be an address.
  if (event.objectId.find('@') != std::string::npos) {
    event.person("id", event.objectId);
    event.objectId.clear();
  }
  if (!address.empty()) event.person("address", address);
  addAccount(event, tables, name);
}

}  // namespace

audit::Event eventOf(SiteTables& tables, const OrderCall& call, audit::Outcome outcome, std::string reasonCode) {
  auto event = call.note;
  fillActor(event, call.actor);
  if (event.action.empty()) event.action = call.order;
  if (event.objectType.empty()) fillObject(event, tables, call);
  if (outcome != audit::Outcome::Ok) event.outcome = outcome;
  if (!reasonCode.empty()) event.reasonCode = std::move(reasonCode);
  return event;
}

void recordOrder(OrderTools& tools, const OrderCall& call, audit::Outcome outcome, std::string reasonCode) {
  tools.context.site.write(
      [&](SiteTables& tables) { tables.audit.append(eventOf(tables, call, outcome, reasonCode)); });
}

}  // namespace postern::listd
