#include "core/records/Query.h"
#include "listd/matters/Erasure.h"
#include "listd/matters/HoldJournal.h"
#include "listd/matters/MatterOrders.h"
#include "listd/orders/Views.h"
#include "listd/retention/BlastGuard.h"
#include "listd/retention/Retention.h"
#include "listd/subscribe/MemberSourceStore.h"

#include <set>

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

// The list takes no posts and is shown to nobody but staff. Nothing of it is destroyed: that is for the rules, and for
// the retention run once nothing of it is kept (DestructionGate::disposeLists).
json deleteList(OrderTools& tools, const OrderCall& call) {
  return change(tools, call, [&](SiteTables& tables) {
    auto list = requireList(tables, call.args, "address");
    call.note.objectType = "list";
    call.note.objectId = std::to_string(list.id);
    call.note.listId = list.id;
    if (list.deletedAt != TimePoint()) refuse("refused", list.address + " is deleted already");
    list.open = false;
    list.deletedAt = tools.now();
    tables.lists.update(list);
    tables.lists.setDeleted(list.id, list.deletedAt);
    tables.rules.record(
        {std::string(ListClosedEvent), list.id, 0, tools.now(), tools.now(), call.actor.name, call.order});
    tables.counters.take(CounterStore::Routing);
    return json{{"address", list.address}, {"state", "deleted"}, {"deletedAt", toMicros(list.deletedAt)}};
  });
}

// The answer depends on how much was kept, never on why: a rule and a hold, silent or not, read the same.
json answerOf(std::uint64_t destroyed, std::uint64_t kept) {
  if (kept == 0)
    return {{"answer", "erased"},
            {"destroyed", destroyed},
            {"kept", kept},
            {"text", "What was stored about you has been erased."}};
  return {{"answer", "legal obligation"},
          {"destroyed", destroyed},
          {"kept", kept},
          {"text",
           "Part of what is stored about you must be kept to meet a legal obligation (GDPR Article 17(3)(b)). It is "
           "kept from view and will be erased when that obligation ends."}};
}

}  // namespace

namespace {

// What names the person as its author, by the index: the sender of the envelope may be another address.
std::vector<std::uint64_t> authoredBy(const OrderTools& tools, const std::string& address) {
  const auto* answers = contentAnswers(tools);
  if (answers == nullptr) return {};
  records::Predicate scope;
  scope.senders.push_back(address);
  const auto query = records::Query::parse(scope.contentQuery());
  return query ? answers->find(*query) : std::vector<std::uint64_t>();
}

// References that are still there, each once.
std::vector<DestructionGate::Target> referencesOf(SiteTables& tables, const std::string& address,
                                                  const std::vector<std::uint64_t>& authored) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> found;
  for (const auto& [object, list] : tables.posts.writtenBy(address)) found.emplace(object, list);
  for (const auto object : authored)
    if (const auto message = tables.archive.message(object); message && message->object.state == ObjectState::Stored)
      for (const auto& reference : message->references)
        if (!reference.removedAt) found.emplace(object, reference.listId);
  std::vector<DestructionGate::Target> targets;
  for (const auto& [object, list] : found) targets.push_back({object, list});
  return targets;
}

}  // namespace

json answerErasure(OrderTools& tools, const OrderCall& call, const Dispose& dispose, const AskFirst& askFirst) {
  const auto address = call.args.address("address").key();
  const auto reason = call.args.text("reason", 1000);
  call.note.objectType = "person";
  call.note.person("person", address);
  call.note.reasonText = reason;
  const auto authored = authoredBy(tools, address);
  std::optional<Request> request;
  const auto targets = change(tools, call, [&](SiteTables& tables) {
    for (const auto& membership : tables.members.membershipsOf(address)) {
      tables.formerMembers.add(membership.member, tools.now(), call.actor.name);
      tables.members.remove(membership.member.listId, address);
    }
    tables.subscriptions.sources().forgetEverywhere(address);
    tables.subscriptions.forgetAddress(address);
    auto all = referencesOf(tables, address, authored);
    for (const auto& target : all) tables.archive.hide(target.objectId, target.listId, tools.now(), call.actor.name);
    if (askFirst) request = askFirst(tables, all, address);
    if (request) call.note.requestId = request->id;
    return all;
  });
  if (request)
    return {
        {"answer", "waiting"},
        {"destroyed", 0},
        {"kept", targets.size()},
        {"request", viewOf(*request)},
        {"text",
         "What is stored about you is out of view. So much is erased only when a second person has agreed; you will "
         "be told."}};
  std::uint64_t destroyed = 0;
  for (const auto& verdict : dispose(DestructionCaller::Erasure, targets))
    if (verdict.removed) ++destroyed;
  return answerOf(destroyed, targets.size() - destroyed);
}

namespace {

json answerThroughGate(OrderTools& tools, const OrderCall& call) {
  if (tools.retention == nullptr) refuse("unavailable", "nothing can be erased now");
  return answerErasure(
      tools, call,
      [&](DestructionCaller caller, const auto& targets) {
        return tools.retention->gate().dispose(caller, 0, targets);
      },
      [&](SiteTables& tables, const auto& targets, const std::string& person) {
        return askWhenTooMany(
            tools, tables, call,
            {DestructionCaller::Erasure, targets, "Erase % of " + person, call.args.text("reason", 1000), person});
      });
}

constexpr OrderRow Table[] = {
    {"list.delete", OrderKind::ChangesRouting, deleteList, {Role::Admin | Role::Owner, false, "address"}},
    {"erasure.answer", OrderKind::Changes, answerThroughGate, {Role::Officer, true}},
};

}  // namespace

std::span<const OrderRow> erasureOrders() {
  return Table;
}

}  // namespace postern::listd
