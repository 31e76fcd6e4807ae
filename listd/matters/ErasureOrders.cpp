#include "listd/matters/Erasure.h"
#include "listd/matters/MatterOrders.h"
#include "listd/orders/Views.h"
#include "listd/retention/Retention.h"

namespace postern::listd {
namespace {

using app::Role;
using nlohmann::json;

// The list takes no posts and is shown to nobody but staff. Nothing of it is destroyed: that is for the rules.
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

json answerErasure(OrderTools& tools, const OrderCall& call, const Dispose& dispose) {
  const auto address = call.args.address("address").key();
  const auto reason = call.args.text("reason", 1000);
  call.note.objectType = "person";
  call.note.person("person", address);
  call.note.reasonText = reason;
  const auto targets = change(tools, call, [&](SiteTables& tables) {
    for (const auto& membership : tables.members.membershipsOf(address)) {
      tables.formerMembers.add(membership.member, tools.now(), call.actor.name);
      tables.members.remove(membership.member.listId, address);
    }
    std::vector<DestructionGate::Target> all;
    for (const auto& [object, list] : tables.posts.writtenBy(address)) {
      tables.archive.hide(object, list, tools.now(), call.actor.name);
      all.push_back({object, list});
    }
    return all;
  });
  std::uint64_t destroyed = 0;
  for (const auto& verdict : dispose(DestructionCaller::Erasure, targets))
    if (verdict.removed) ++destroyed;
  return answerOf(destroyed, targets.size() - destroyed);
}

namespace {

json answerThroughGate(OrderTools& tools, const OrderCall& call) {
  if (tools.retention == nullptr) refuse("unavailable", "nothing can be erased now");
  return answerErasure(tools, call, [&](DestructionCaller caller, const auto& targets) {
    return tools.retention->gate().dispose(caller, 0, targets);
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
