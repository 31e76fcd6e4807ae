#include "core/audit/Verify.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/AuditOrders.h"
#include "listd/audit/AuditRequests.h"
#include "listd/audit/Checkpoints.h"
#include "listd/orders/Views.h"

#include <algorithm>

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;

constexpr std::size_t MostCheckpoints = 100'000;

// The log's key and those that it had, by its own entries.
std::vector<audit::VerifierKey> keysOf(const SiteContext& context, SiteTables& tables) {
  std::vector<audit::VerifierKey> keys;
  const auto add = [&](const std::string& text) {
    if (const auto key = audit::VerifierKey::parse(text)) keys.push_back(*key);
  };
  add(context.keys.siteKeyPublicPart("audit").value_or(""));
  AuditFilter filter;
  filter.action = std::string(audit::KeyBegunAction);
  filter.limit = 1000;
  for (const auto& row : tables.audit.list(filter)) {
    const auto entry = audit::parseEntry(row.entry);
    if (entry) add(audit::detailOf(*entry, "old").value_or(""));
  }
  return keys;
}

// What a restore lost, by checkpoints that were kept elsewhere: all of them up to `from` entries still hold, and
// `newest` is the longest log that anybody knows of.
struct Loss {
  std::uint64_t from = 0;
  audit::Checkpoint newest;
};

std::optional<Loss> lossOf(const audit::LogFile& log, const std::vector<audit::Checkpoint>& known) {
  const auto size = log.size();
  std::vector<std::uint64_t> holding;
  Loss loss;
  std::optional<std::uint64_t> firstLost;
  for (const auto& checkpoint : known) {
    if (checkpoint.size <= size && audit::rootOf(checkpoint.size, log.nodes()) == checkpoint.root) {
      holding.push_back(checkpoint.size);
      continue;
    }
    firstLost = std::min(firstLost.value_or(checkpoint.size), checkpoint.size);
    if (checkpoint.size >= loss.newest.size) loss.newest = checkpoint;
  }
  if (!firstLost) return std::nullopt;
  for (const auto held : holding)
    if (held < *firstLost) loss.from = std::max(loss.from, held);
  return loss;
}

std::vector<audit::Checkpoint> checkpointsOf(const SiteContext& context, SiteTables& tables,
                                             const std::vector<std::string>& notes) {
  const auto keys = keysOf(context, tables);
  std::vector<audit::Checkpoint> known;
  for (const auto& text : notes) {
    const auto note = audit::parseCheckpoint(text);
    if (note && note->isSignedByOne(keys)) known.push_back(note->checkpoint);
  }
  return known;
}

// Notes of several lines each, so no list of texts.
std::vector<std::string> notesOf(const Args& args) {
  const auto given = args.value("checkpoints");
  std::vector<std::string> notes;
  if (given.is_array() && given.size() <= MostCheckpoints)
    for (const auto& note : given)
      if (note.is_string()) notes.push_back(note.get<std::string>());
  if (notes.empty())
    refuse("usage", "\"checkpoints\" are missing", "give those that were kept elsewhere: --anchors FOLDER");
  return notes;
}

json declareRollback(OrderTools& tools, const OrderCall& call) {
  const auto reason = call.args.text("reason", 1000);
  const auto notes = notesOf(call.args);
  call.note.objectType = "audit";
  call.note.reasonText = reason;
  return change(tools, call, [&](SiteTables& tables) -> json {
    const auto known = checkpointsOf(tools.context, tables, notes);
    if (known.empty())
      refuse("invalid", "none of these is a checkpoint that was signed by this log's key",
             "fetch the anchors from where they were carried to, and give their folder");
    const auto loss = lossOf(tables.audit.file(), known);
    if (!loss)
      refuse("refused", "the log has all that these checkpoints tell; nothing was put back",
             "see: postern audit verify");
    Request request;
    request.kind = "log.restore";
    request.title = "Declare that a restore put the audit log back: of the entries from " + std::to_string(loss->from) +
                    " up to " + std::to_string(loss->newest.size) + " some are gone";
    request.reason = reason;
    request.requester = call.actor.name;
    request.payload = {{"from", loss->from}, {"size", loss->newest.size}, {"root", crypto::base64(loss->newest.root)}};
    request.before = {{"entries", loss->newest.size}};
    request.after = {{"entriesProven", loss->from}, {"verdict", "declared gap (7), for good"}};
    return {{"request", viewOf(tools.context.requests.make(tools, tables, std::move(request)))},
            {"from", loss->from},
            {"to", loss->newest.size}};
  });
}

void carryOutRollback(OrderTools&, SiteTables& tables, const Request& request, TimePoint) {
  DeclaredRollback rollback;
  rollback.from = request.payload.at("from").get<std::uint64_t>();
  rollback.knownSize = request.payload.at("size").get<std::uint64_t>();
  rollback.knownRoot = crypto::fromBase64(request.payload.at("root").get<std::string>()).value_or("");
  rollback.reason = request.reason;
  rollback.requester = request.requester;
  rollback.approver = request.decider;
  tables.audit.declareRollback(rollback);
}

// The entries of the change say who did it; the order itself is recorded beside them.
json changeKey(OrderTools& tools, const OrderCall& call) {
  call.note.objectType = "audit";
  call.note.reasonText = call.args.text("reason", 1000);
  const auto old = auditKey(tools.context).verifier().text();
  changeAuditKey(tools.context, call.actor.name);
  return {{"old", old}, {"publicKey", auditKey(tools.context).verifier().text()}};
}

constexpr OrderRow Table[] = {
    {"audit.declare-rollback", OrderKind::Changes, declareRollback, {Role::Admin, true}},
    {"audit.change-key", OrderKind::Looks, changeKey, {Role::Admin, true}},
};

}  // namespace

std::optional<DeclaredRollback> lossBy(const SiteContext& context, SiteTables& tables,
                                       const std::vector<std::string>& checkpoints) {
  const auto loss = lossOf(tables.audit.file(), checkpointsOf(context, tables, checkpoints));
  if (!loss) return std::nullopt;
  DeclaredRollback rollback;
  rollback.from = loss->from;
  rollback.knownSize = loss->newest.size;
  rollback.knownRoot = loss->newest.root;
  return rollback;
}

void addAuditRequests(Requests& requests) {
  requests.add({"log.restore", carryOutRollback});
}

std::span<const OrderRow> auditDutyOrders() {
  return Table;
}

}  // namespace postern::listd
