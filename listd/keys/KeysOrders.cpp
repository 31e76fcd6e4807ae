#include "listd/keys/KeysOrders.h"

#include "core/vault/KeyBackup.h"
#include "listd/jobs/JobOrders.h"
#include "listd/keys/KeyJobs.h"

namespace postern::listd {

using nlohmann::json;

namespace {

// Objects that are not under the newest epoch of their list count as not current.
json epochsView(OrderTools& tools, std::uint64_t& current, std::uint64_t& total) {
  std::map<std::uint64_t, std::string> names;
  tools.context.site.read([&](SiteTables& tables) {
    for (const auto& list : tables.lists.all()) names[list.id] = list.address;
  });
  auto items = json::array();
  for (const auto& epoch : tools.context.keys.epochs()) {
    total += epoch.objects;
    if (epoch.current) current += epoch.objects;
    items.push_back({{"list", names[epoch.listId]},
                     {"epoch", epoch.id},
                     {"createdAt", toMicros(epoch.createdAt)},
                     {"objects", epoch.objects},
                     {"current", epoch.current}});
  }
  return items;
}

json backupView(OrderTools& tools) {
  const auto newest = tools.context.keys.newestBackup();
  json view{{"keepDays", vault::KeyBackupLife.count()}, {"at", 0}, {"age", nullptr}};
  if (!newest) return view;
  view["at"] = toMicros(newest->at);
  view["age"] = std::chrono::duration_cast<std::chrono::seconds>(tools.now() - newest->at).count();
  return view;
}

json keysStatus(OrderTools& tools, const OrderCall&) {
  auto& keys = tools.context.keys;
  std::uint64_t current = 0, total = 0;
  auto epochs = epochsView(tools, current, total);
  const auto root = keys.rootFacts();
  json rotation{{"job", nullptr}};
  if (tools.jobs != nullptr)
    for (const auto& job : tools.jobs->newest(1000)) {
      if (job.kind != RotateKeys) continue;
      rotation = {{"job", job.id}, {"what", job.args.at("what")}, {"state", job.state}, {"message", job.message}};
      break;
    }
  return {{"rootKey",
           {{"source", tools.context.rootSource->name()}, {"epoch", root.epoch}, {"since", toMicros(root.since)}}},
          {"epochs", std::move(epochs)},
          {"current", current},
          {"total", total},
          {"rotation", std::move(rotation)},
          {"vaultBytes", tools.context.vault.bytes()},
          {"backup", backupView(tools)}};
}

json rotateKeys(OrderTools& tools, const OrderCall& call) {
  const auto what = call.args.word("what", "lists", {"lists", "root"});
  call.note.objectType = "keys";
  call.note.objectId = what;
  return startJob(tools, call, RotateKeys, {{"what", what}});
}

json backupKeys(OrderTools& tools, const OrderCall& call) {
  const auto made = makeKeyBackup(tools.context);
  call.note.objectType = "keys";
  call.note.objectId = "backup";
  return change(tools, call, [&](SiteTables&) {
    return json{{"path", made.file.string()},
                {"keys", made.facts.objects},
                {"epochs", made.facts.epochs},
                {"at", toMicros(made.facts.at)}};
  });
}

using app::Role;

constexpr OrderRow Table[] = {
    {"keys.status", OrderKind::Reads, keysStatus, {Role::Admin | Role::Custodian | Role::Auditor, false}},
    {"keys.rotate", OrderKind::Changes, rotateKeys, {Role::Admin | Role::Custodian, true}},
    {"keys.backup", OrderKind::Changes, backupKeys, {Role::Admin | Role::Custodian, false}},
};

}  // namespace

std::span<const OrderRow> keysOrders() {
  return Table;
}

}  // namespace postern::listd
