#include "listd/orders/OrderDesk.h"

#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/AuditOrders.h"
#include "listd/backup/BackupJob.h"
#include "listd/dkim/DkimOrders.h"
#include "listd/jobs/JobOrders.h"
#include "listd/keys/DirectoryOrders.h"
#include "listd/keys/KeyLinks.h"
#include "listd/keys/KeysOrders.h"
#include "listd/keys/KeyWork.h"
#include "listd/keys/ListKeyOrders.h"
#include "listd/matters/MatterOrders.h"
#include "listd/orders/HostnameOrders.h"
#include "listd/orders/MonitorOrders.h"
#include "listd/orders/ProtectionOrders.h"
#include "listd/orders/QueueOrders.h"
#include "listd/orders/RelayOrders.h"
#include "listd/orders/SendOrders.h"
#include "listd/orders/SubmitOrders.h"
#include "listd/people/PeopleOrders.h"
#include "listd/people/RoleRules.h"
#include "listd/people/SignInThrottle.h"
#include "listd/pickup/PickupOrders.h"
#include "listd/policy/PolicyOrders.h"
#include "listd/probe/DomainTlsOrders.h"
#include "listd/probe/TlsReportOrders.h"
#include "listd/quarantine/QuarantineOrders.h"
#include "listd/reports/ReportOrders.h"
#include "listd/requests/RequestOrders.h"
#include "listd/retention/RetentionOrders.h"
#include "listd/search/SearchOrders.h"
#include "listd/subscribe/MemberSources.h"
#include "listd/subscribe/SubscriptionOrders.h"
#include "listd/webhooks/WebhookOrders.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds RoutingWait{1500};

constexpr auto Reads = OrderKind::Reads;
constexpr auto Changes = OrderKind::Changes;
constexpr auto ChangesRouting = OrderKind::ChangesRouting;

using app::Role;
// What shows the site without a word of mail: staff see it, owners what is theirs.
constexpr Access Staff{StaffRoles};
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};
constexpr Access Support{Role::Admin | Role::Helpdesk};
constexpr app::Roles WatchersAndOwners = Watchers.roles | Role::Owner;
constexpr Access Own{WatchersAndOwners, false, ""};
constexpr Access OwnAddress{WatchersAndOwners, false, "address"};
constexpr Access OwnList{WatchersAndOwners};
constexpr Access AdminOrOwner{Role::Admin | Role::Owner};
constexpr Access AdminOrOwnerAddress{Role::Admin | Role::Owner, false, "address"};

constexpr std::chrono::minutes StepUpLasts{5};

// docs/orders.md says what each takes and gives.
constexpr OrderRow Table[] = {
    {"status", Reads, status, Staff},
    {"flow", Reads, flow, Watchers},
    {"domain.add", ChangesRouting, addDomain},
    {"domain.list", Reads, listDomains, Watchers},
    {"domain.show", Reads, showDomain, Watchers},
    {"domain.remove", ChangesRouting, removeDomain},
    {"route.add", ChangesRouting, addRoute},
    {"route.list", Reads, listRoutes, Watchers},
    {"route.remove", ChangesRouting, removeRoute},
    {"list.create", ChangesRouting, createList},
    {"list.list", Reads, listLists, Own},
    {"list.show", Reads, showList, OwnAddress},
    {"list.set", Changes, setList, AdminOrOwnerAddress},
    {"list.close", ChangesRouting, closeList},
    {"list.readiness", Reads, listReadiness, OwnAddress},
    {"member.add", Changes, addMember, AdminOrOwner},
    {"member.remove", Changes, removeMember, AdminOrOwner},
    {"member.list", Reads, listMembers, OwnList},
    {"member.set", Changes, setMember, AdminOrOwner},
    {"member.import", Changes, importMembers, AdminOrOwner},
    {"member.export", Reads, exportMembers, AdminOrOwner},
    {"key.import", Changes, importMemberKey},
    {"key.list", Reads, listKeys, Support},
    {"key.show", Reads, showKey, Support},
    {"key.confirm", Changes, confirmKey, AdminOrOwner},
    {"key.refuse", Changes, refuseKey, AdminOrOwner},
    {"key.revoke", Changes, revokeKey},
    {"key.check", Changes, checkKey},
    {"key.check-all", Changes, checkKeys},
    {"trace", Reads, trace, Own},
    {"hops.read", Reads, readHops, AnySignedIn},
    {"post.list", Reads, listPosts, OwnList},
};

}  // namespace

// Each subject has its own table; add it here.
// One on a line.
// clang-format off
const std::vector<std::span<const OrderRow>>& orderTables() {
  static const std::vector<std::span<const OrderRow>> tables = {
      Table,
      signInOrders(),
      accountOrders(),
      factorOrders(),
      tokenOrders(),
      auditOrders(),
      auditDutyOrders(),
      jobOrders(),
      keysOrders(),
      backupOrders(),
      keyLinkOrders(),
      listKeyOrders(),
      directoryOrders(),
      keyWorkOrders(),
      subscriptionOrders(),
      ownSubscriptionOrders(),
      publicSubscriptionOrders(),
      memberSourceOrders(),
      requestOrders(),
      matterOrders(),
      holdOrders(),
      erasureOrders(),
      ruleOrders(),
      retentionOrders(),
      objectOrders(),
      sessionOrders(),
      searchOrders(),
      exportOrders(),
      reportOrders(),
      readOrders(),
      protectionOrders(),
      domainTlsOrders(),
      tlsReportOrders(),
      pickupOrders(),
      pickupVisitOrders(),
      pickupReadOrders(),
      pickupOwnOrders(),
      pickupQuestionOrders(),
      relayOrders(),
      queueOrders(),
      destinationOrders(),
      hostnameOrders(),
      quarantineOrders(),
      sendOrders(),
      dkimOrders(),
      monitorOrders(),
      submitOrders(),
      webhookOrders(),
      policyOrders(),
      policySetOrders(),
      policyTrialOrders(),
  };
  return tables;
}
// clang-format on

const OrderRow* findOrder(std::string_view name) {
  for (const auto table : orderTables())
    for (const auto& row : table)
      if (row.name == name) return &row;
  return nullptr;
}

namespace {

// "retention:write" allows reading, too.
bool coversScope(const Person& person, std::string_view order, OrderKind kind) {
  const std::string subject(order.substr(0, order.find('.')));
  const auto has = [&](const std::string& scope) {
    return std::find(person.scopes.begin(), person.scopes.end(), scope) != person.scopes.end();
  };
  const bool reads = kind == OrderKind::Reads || kind == OrderKind::Looks;
  if ((order == "mail.submit" || order == "mail.status") && has("mail:send")) return true;  // and nothing else
  return has(subject + ":write") || (reads && has(subject + ":read"));
}

app::OrderError signedOut(const Person& person) {
  if (person.byToken) return {"signed-out", "this access token is unknown, revoked or too old", "make a new token"};
  return {"signed-out", "nobody is signed in, or the account may not sign in any more", "sign in again"};
}

bool ownsNamed(const Person& person, std::string_view argument, const nlohmann::json& args) {
  if (argument.empty()) return true;
  const auto named = args.find(std::string(argument));
  return named != args.end() && named->is_string() && person.owns(named->get<std::string>());
}

}  // namespace

static bool allowedOnlyAsOwner(const OrderRow& row, const Person& person) {
  const auto others =
      app::Roles::fromBits(person.roles.bits() & static_cast<std::uint16_t>(~app::Roles(app::Role::Owner).bits()));
  return !row.access.roles.empty() && !others.meets(row.access.roles);
}

std::optional<app::OrderError> denialOf(const OrderRow& row, const Person& person, const nlohmann::json& args,
                                        bool steppedUp) {
  if (row.access.roles.empty()) return std::nullopt;
  if (person.account.empty() || person.roles.empty()) return signedOut(person);
  if (!person.roles.meets(row.access.roles))
    return app::OrderError{"denied", "your roles do not allow this", "ask an administrator who may do it"};
  if (person.byToken && !coversScope(person, row.name, row.kind))
    return app::OrderError{"denied", "this access token was not made for that", "make a token with the scope it needs"};
  if (allowedOnlyAsOwner(row, person) && row.access.roles.has(app::Role::Owner) &&
      !ownsNamed(person, row.access.ownList, args))
    return app::OrderError{"denied", "this is not one of your lists", "ask an administrator to make you its owner"};
  if (row.access.stepUp && person.byToken)
    return app::OrderError{"denied", "an access token cannot do this: it needs a person who proves anew who they are",
                           "sign in to the web UI and do it there"};
  if (row.access.stepUp && !person.machine && !steppedUp)
    return app::OrderError{"step-up", "this needs you to prove again that it is you", "sign in again, then repeat it"};
  return std::nullopt;
}

OrderDesk::Standing OrderDesk::standingOf(const app::Actor& actor) {
  const auto now = tools_.now();
  return tools_.context.site.read([&](SiteTables& tables) {
    Standing standing{personOf(tables, actor, now), false, {}};
    const auto& person = standing.person;
    // A clock that was set back must not lengthen it.
    const auto at = person.browser ? person.browser->steppedUpAt : TimePoint();
    standing.steppedUp = at <= now && now - at < StepUpLasts;
    if (actor.kind == "web" && person.session.empty() && tables.accounts.find(actor.name))
      standing.claimed = actor.name;
    return standing;
  });
}

// Notes when a token was last used, at most once a minute; wrong ones are counted against their client.
void OrderDesk::noteToken(const app::Actor& actor, const Person& person) {
  const auto now = tools_.now();
  if (person.token == 0) {
    tools_.context.site.write([&](SiteTables& tables) { chargeToken(tables, actor.client, now); });
  } else if (person.tokenUsedAt > now || now - person.tokenUsedAt >= std::chrono::minutes(1)) {
    tools_.context.site.write([&](SiteTables& tables) { tables.tokens.recordUse(person.token, now); });
  }
}

void OrderDesk::requireUnblocked(const app::Actor& actor) {
  const bool blocked = tools_.context.site.read(
      [&](SiteTables& tables) { return tokensAreBlocked(tables, actor.client, tools_.now()); });
  if (blocked) refuse("signed-out", "too many access tokens that are none came from this address", "wait some minutes");
}

bool OrderDesk::believes(Entrance entrance, const app::Actor& actor) const {
  if (actor.kind == "api") return true;  // its token proves it
  if (entrance == Entrance::Web) return actor.kind == "web" || actor.kind == "system";
  return actor.kind == "cli" && !commandKey_.empty() && crypto::equalConstantTime(actor.token, commandKey_.view());
}

nlohmann::json OrderDesk::handleFrom(Entrance entrance, std::string_view order, const app::Actor& actor,
                                     const nlohmann::json& args) {
  if (believes(entrance, actor)) return handle(order, actor, args);
  const bool web = entrance == Entrance::Web;
  const app::OrderError denial{"denied", "who gives this order is not believed here",
                               web ? "" : "the key of the command line is made anew when listd starts; try again"};
  const auto claims = actor.kind.substr(0, 20);
  log::warning("orders", "refused an order of somebody who claims to be another", {{"claims", claims}, {"web", web}});
  const app::Actor giver{"system", web ? "webadmin" : "command line"};
  recordDenied({findOrder(order) == nullptr ? "order.unknown" : std::string(order), giver, Args(args), {}, {}}, denial);
  throw app::OrderRefused(denial);
}

// The actor as the record knows it: nothing in it is as it came over the wire, but the address of the client and the
// user of the command line, whose key proves more than any name.
static app::Actor provenActor(const app::Actor& actor, const Person& person) {
  app::Actor proven{actor.kind, actor.name, {}, person.session, actor.client, person.roles};
  if (actor.kind == "web" || actor.kind == "api") proven.https = actor.https;  // the web process alone may say so
  if (!person.account.empty()) {
    proven.name = person.account;
  } else if (!person.recipient.empty()) {
    proven.name = person.recipient;
  } else if (actor.kind == "api") {
    proven.name.clear();
  } else if (actor.kind != "cli") {
    proven.kind = "system";
    proven.name = "webadmin";
  }
  return proven;
}

nlohmann::json OrderDesk::handle(std::string_view order, const app::Actor& actor, const nlohmann::json& args) {
  const auto* row = findOrder(order);
  if (row == nullptr)
    refuse("usage", "there is no order \"" + std::string(order.substr(0, 100)) + "\"",
           "see docs/orders.md; the asking program may be of another version");
  if (actor.kind == "api") requireUnblocked(actor);
  auto standing = standingOf(actor);
  if (actor.kind == "api") noteToken(actor, standing.person);
  const auto proven = provenActor(actor, standing.person);
  standing.person.onlyAsOwner = allowedOnlyAsOwner(*row, standing.person);
  const auto denial = denialOf(*row, standing.person, args, standing.steppedUp);
  const OrderCall call{std::string(order), proven, Args(args), {}, std::move(standing.person)};
  if (denial) {
    if (!standing.claimed.empty()) call.note.person("claimed", standing.claimed);
    recordDenied(call, *denial);
    throw app::OrderRefused(*denial);
  }
  if (row->kind == OrderKind::Reads) return row->handler(tools_, call);
  try {
    auto result = row->handler(tools_, call);
    if (row->kind == OrderKind::Looks) recordOrder(tools_, call, audit::Outcome::Ok);  // not recorded, not shown
    if (row->kind == ChangesRouting) tools_.gateway.pushRouting(RoutingWait);
    return result;
  } catch (const app::OrderRefused& refused) {
    recordOrder(tools_, call, audit::Outcome::Denied, refused.error().code);
    throw;
  } catch (const std::exception&) {
    recordBroken(call);
    throw;
  }
}

// A denied order is on record, whatever it would have done; a page that asks for too much would fill the record, which
// is the reason why pages ask only for what their person may see.
void OrderDesk::recordDenied(const OrderCall& call, const app::OrderError& denial) {
  recordOrder(tools_, call, audit::Outcome::Denied, denial.code);
}

// What broke the order may keep it from being recorded as well; the first error is the one to show.
void OrderDesk::recordBroken(const OrderCall& call) {
  try {
    recordOrder(tools_, call, audit::Outcome::Error, "broken");
  } catch (const std::exception& error) {
    log::error("audit", "a failed order cannot be recorded", {{"order", call.order}, {"error", error.what()}});
  }
}

}  // namespace postern::listd
