#include "listd/backup/BackupJob.h"
#include "listd/jobs/JobOrders.h"

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;

json viewOf(const BackupRow& row) {
  return {{"id", row.id},           {"outcome", row.outcome}, {"at", toMicros(row.at)}, {"repository", row.repository},
          {"content", row.content}, {"keys", row.keys},       {"objects", row.objects}, {"bytes", row.bytes},
          {"message", row.message}};
}

json prepare(OrderTools& tools, const OrderCall& call) {
  call.note.objectType = "backup";
  return startJob(tools, call, PrepareBackup, json::object());
}

// By the command line, which alone sees the repositories.
json recordBackup(OrderTools& tools, const OrderCall& call) {
  BackupRow row;
  row.outcome = call.args.word("outcome", "", {"made", "failed", "proven", "refuted"});
  if (row.outcome.empty()) refuse("usage", "\"outcome\" is missing", "say made, failed, proven or refuted");
  row.at = tools.now();
  row.repository = call.args.textOr("repository", "", 1000);
  row.content = call.args.textOr("content", "", 100);
  row.keys = call.args.textOr("keys", "", 100);
  row.objects = call.args.number("objects", 0, 0, INT64_MAX);
  row.bytes = call.args.number("bytes", 0, 0, INT64_MAX);
  row.message = call.args.textOr("message", "", 2000);
  call.note.objectType = "backup";
  call.note.objectId = row.content;
  call.note.reasonCode = row.outcome;
  call.note.reasonText = row.message;
  return change(tools, call, [&](SiteTables& tables) {
    row.id = tables.backups.add(row);
    return viewOf(row);
  });
}

json backupStatus(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 20, 1, 500));
  return tools.context.site.read([&](SiteTables& tables) {
    json view{{"repository", tools.context.config.backupRepository},
              {"keysRepository", tools.context.config.backupKeysRepository},
              {"items", json::array()}};
    for (const auto* outcome : {"made", "failed", "proven", "refuted"}) {
      const auto newest = tables.backups.newest(outcome);
      view[outcome] = newest ? viewOf(*newest) : json(nullptr);
    }
    for (const auto& row : tables.backups.list(limit)) view["items"].push_back(viewOf(row));
    return view;
  });
}

constexpr OrderRow Table[] = {
    {"backup.status", OrderKind::Reads, backupStatus, {Role::Admin | Role::Custodian | Role::Auditor, false}},
    {"backup.prepare", OrderKind::Changes, prepare, {Role::Admin | Role::Custodian, false}},
    {"backup.record", OrderKind::Changes, recordBackup, {Role::Admin, false}},
};

}  // namespace

std::span<const OrderRow> backupOrders() {
  return Table;
}

}  // namespace postern::listd
