#pragma once
#include "core/app/Orders.h"
#include "core/audit/Entry.h"
#include "core/crypto/Password.h"
#include "listd/audit/OrderEvents.h"
#include "listd/expand/GatewayControl.h"
#include "listd/expand/Troubles.h"
#include "listd/jobs/JobRunner.h"
#include "listd/orders/Args.h"
#include "listd/people/Person.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace postern::listd {

class DkimDuties;
class DomainProbes;
class Intake;
class KeyLookups;
class Outbox;
struct PolicyCare;
class Retention;
class SearchIndex;
class IndexWorker;

// What order handlers work with. Threads: safe for all.
struct OrderTools {
  SiteContext& context;
  GatewayControl& gateway;
  const Troubles& troubles;
  crypto::PasswordHasher& passwords;
  TimePoint startedAt;
  JobRunner* jobs = nullptr;  // null: no jobs run here, as in tests of other orders
  SearchIndex* search = nullptr;
  IndexWorker* indexer = nullptr;
  Retention* retention = nullptr;  // null: nothing is kept or destroyed here
  DomainProbes* probes = nullptr;
  Outbox* outbox = nullptr;
  KeyLookups* lookups = nullptr;
  DkimDuties* dkim = nullptr;
  Intake* intake = nullptr;        // null: nothing that is held goes on here
  PolicyCare* policies = nullptr;  // null: no policies can be asked here
  std::function<app::LdapAnswer(const app::LdapQuestion&)> askDirectory = {};  // empty: no directory can be asked here

  TimePoint now() const { return context.clock.now(); }
};

// One order as it was given.
struct OrderCall {
  std::string order;
  app::Actor actor;  // name and roles are proven
  const Args args;
  mutable audit::Event note;  // what the handler knows beyond the order's name: object, reason, digests, details
  const Person person = {};   // who gives it, as the store says
};

// Changes the site: runs `work(SiteTables&)` and records the order in the same transaction. Returns once durable.
template <class Work>
auto change(OrderTools& tools, const OrderCall& call, Work work) {
  return tools.context.site.write([&](SiteTables& tables) {
    auto result = work(tables);
    tables.audit.append(eventOf(tables, call, audit::Outcome::Ok));
    return result;
  });
}

using OrderHandler = nlohmann::json (*)(OrderTools&, const OrderCall&);

// The handlers, by subject. Each throws app::OrderRefused for what it does not do.
nlohmann::json status(OrderTools& tools, const OrderCall& call);
nlohmann::json flow(OrderTools& tools, const OrderCall& call);

nlohmann::json addDomain(OrderTools& tools, const OrderCall& call);
nlohmann::json listDomains(OrderTools& tools, const OrderCall& call);
nlohmann::json showDomain(OrderTools& tools, const OrderCall& call);
nlohmann::json removeDomain(OrderTools& tools, const OrderCall& call);
nlohmann::json addRoute(OrderTools& tools, const OrderCall& call);
nlohmann::json listRoutes(OrderTools& tools, const OrderCall& call);
nlohmann::json removeRoute(OrderTools& tools, const OrderCall& call);

nlohmann::json createList(OrderTools& tools, const OrderCall& call);
nlohmann::json listLists(OrderTools& tools, const OrderCall& call);
nlohmann::json showList(OrderTools& tools, const OrderCall& call);
nlohmann::json setList(OrderTools& tools, const OrderCall& call);
nlohmann::json closeList(OrderTools& tools, const OrderCall& call);
nlohmann::json listReadiness(OrderTools& tools, const OrderCall& call);

nlohmann::json addMember(OrderTools& tools, const OrderCall& call);
nlohmann::json removeMember(OrderTools& tools, const OrderCall& call);
nlohmann::json listMembers(OrderTools& tools, const OrderCall& call);
nlohmann::json setMember(OrderTools& tools, const OrderCall& call);
nlohmann::json importMembers(OrderTools& tools, const OrderCall& call);
nlohmann::json exportMembers(OrderTools& tools, const OrderCall& call);

nlohmann::json importMemberKey(OrderTools& tools, const OrderCall& call);
nlohmann::json listKeys(OrderTools& tools, const OrderCall& call);
nlohmann::json showKey(OrderTools& tools, const OrderCall& call);
nlohmann::json confirmKey(OrderTools& tools, const OrderCall& call);
nlohmann::json refuseKey(OrderTools& tools, const OrderCall& call);
nlohmann::json revokeKey(OrderTools& tools, const OrderCall& call);
nlohmann::json checkKey(OrderTools& tools, const OrderCall& call);
nlohmann::json checkKeys(OrderTools& tools, const OrderCall& call);

nlohmann::json trace(OrderTools& tools, const OrderCall& call);
nlohmann::json readHops(OrderTools& tools, const OrderCall& call);
nlohmann::json listPosts(OrderTools& tools, const OrderCall& call);

// A post, and what became of it for each recipient, in rows after `after`.
nlohmann::json postView(SiteTables& tables, const Post& post);
nlohmann::json traceOf(SiteTables& tables, const Post& post, std::uint64_t after, std::uint32_t limit);

// The list that an argument names. Refuses the order when there is none.
List requireList(SiteTables& tables, const Args& args, std::string_view argument = "list");

}  // namespace postern::listd
