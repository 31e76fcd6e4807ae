#include "listd/audit/AuditLog.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/mail/Text.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

using audit::Field;

namespace {

constexpr std::size_t PersonKeySize = 32;
constexpr std::size_t PseudonymSize = 12;  // bytes of the HMAC that are shown
constexpr std::size_t LongestText = 4000;

// 0 means that it does not apply.
std::string digits(std::uint64_t number) {
  return number == 0 ? std::string() : std::to_string(number);
}

std::string shortText(std::string_view text) {
  return mail::repairUtf8(text.substr(0, LongestText));
}

}  // namespace

struct AuditLog::State {
  std::string logId;
  audit::CompactRange range;
  std::string lastHash;
  TimePoint lastAt;
  std::string policyVersion;
};

AuditLog::AuditLog(store::Database& database, const AuditScene& scene) : database_(database), scene_(scene) {}

AuditLog::~AuditLog() = default;

AuditLog::Series::Series(AuditLog& log) : log_(log) {
  if (log_.series_) throw Error(ErrorKind::Invariant, "a series of entries of the audit log is open already");
  log_.series_ = std::make_unique<State>(log_.state());
}

// Unfinished, the entries stand behind the end of the log as it is stored: the next one cannot be added.
AuditLog::Series::~Series() {
  log_.series_.reset();
}

void AuditLog::Series::finish() {
  log_.store(*log_.series_);
}

AuditLog::State AuditLog::state() {
  auto select =
      database_.prepare("SELECT log_id, size, last_hash, last_at, peaks, policy_version FROM audit_state WHERE id = 1");
  if (select.bind().step())
    return {select.text(0), audit::CompactRange(select.unsignedInteger(1), select.view(4)), select.blob(2),
            select.time(3), select.text(5)};
  State fresh;
  fresh.logId = crypto::hex(crypto::randomBytes(8));
  database_
      .prepare(
          "INSERT INTO audit_state (id, log_id, size, last_hash, last_at, peaks, policy_version) "
          "VALUES (1, ?, 0, ?, 0, ?, '')")
      .bind(fresh.logId, store::Blob{""}, store::Blob{""})
      .run();
  return fresh;
}

void AuditLog::store(const State& state) {
  database_.prepare("UPDATE audit_state SET size = ?, last_hash = ?, last_at = ?, peaks = ? WHERE id = 1")
      .bind(state.range.size(), store::Blob{state.lastHash}, state.lastAt, store::Blob{state.range.peaks()})
      .run();
}

std::uint64_t AuditLog::append(const audit::Event& event) {
  if (series_) return append(*series_, event);
  auto log = state();
  const auto number = append(log, event);
  store(log);
  return number;
}

std::uint64_t AuditLog::append(State& log, const audit::Event& event) {
  const auto now = scene_.clock->now();
  const auto number = log.range.size();
  const auto seq = std::to_string(number);
  const auto at = std::to_string(toMicros(now));
  const auto prevHash = crypto::hex(log.lastHash);
  const auto actor = event.actor.empty() ? std::string() : pseudonym(event.actor);
  const auto approver = event.approver.empty() ? std::string() : pseudonym(event.approver);
  const auto objectVersion = digits(event.objectVersion);
  const auto listId = digits(event.listId);
  const auto matterId = digits(event.matterId);
  const auto requestId = digits(event.requestId);
  const auto reasonText = shortText(event.reasonText);
  const auto details = detailsOf(event);

  audit::EntryView entry;
  entry[Field::Version] = audit::EntryVersion;
  entry[Field::LogId] = log.logId;
  entry[Field::Seq] = seq;
  entry[Field::TsUtc] = at;
  entry[Field::ClockState] = now < log.lastAt ? "behind" : "forward";
  entry[Field::BootId] = scene_.bootId;
  entry[Field::PrevHash] = prevHash;
  entry[Field::PolicyVersion] = log.policyVersion;
  entry[Field::ActorId] = actor;
  entry[Field::ActorKind] = event.actorKind;
  entry[Field::RoleUsed] = event.roleUsed;
  entry[Field::Auth] = event.auth;
  entry[Field::SessionRef] = event.sessionRef;
  entry[Field::SrcIp] = event.sourceIp;
  entry[Field::UaClass] = event.uaClass;
  entry[Field::Action] = event.action;
  entry[Field::ObjectType] = event.objectType;
  entry[Field::ObjectId] = event.objectId;
  entry[Field::ObjectVersion] = objectVersion;
  entry[Field::ListId] = listId;
  entry[Field::MatterId] = matterId;
  entry[Field::Outcome] = audit::outcomeWord(event.outcome);
  entry[Field::ReasonCode] = event.reasonCode;
  entry[Field::ReasonText] = reasonText;
  entry[Field::ApproverId] = approver;
  entry[Field::RequestId] = requestId;
  entry[Field::BeforeDigest] = event.beforeDigest;
  entry[Field::AfterDigest] = event.afterDigest;
  entry[Field::Detail] = details;
  const auto bytes = audit::canonicalBytes(entry);
  log.lastHash = audit::leafHash(bytes);

  database_
      .prepare(
          "INSERT INTO audit_entries (seq, at, actor, action, object_type, object_id, matter_id, outcome, entry, "
          "leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(number, now, actor, event.action, event.objectType, event.objectId, event.matterId,
            audit::outcomeWord(event.outcome), store::Blob{bytes}, store::Blob{log.lastHash})
      .run();
  log.range.add(log.lastHash, [&](unsigned level, std::uint64_t index, const std::string& hash) {
    if (level < audit::LowestStoredLevel) return;
    database_.prepare("INSERT INTO audit_nodes (level, idx, hash) VALUES (?, ?, ?)")
        .bind(level, index, store::Blob{hash})
        .run();
  });
  log.lastAt = std::max(log.lastAt, now);
  return number;
}

std::string AuditLog::detailsOf(const audit::Event& event) {
  if (event.details.empty()) return {};
  auto details = nlohmann::json::object();
  for (const auto& detail : event.details) {
    const bool person = detail.kind == audit::Detail::Kind::Person;
    details[detail.name] = person ? pseudonym(detail.value) : shortText(detail.value);
  }
  return details.dump();
}

std::optional<std::string> AuditLog::pseudonymOf(std::string_view name) const {
  auto select = database_.prepare("SELECT pseudonym FROM audit_persons WHERE name = ?");
  if (!select.bind(name).step()) return std::nullopt;
  return select.text(0);
}

std::string AuditLog::pseudonym(std::string_view rawName) {
  const auto name = shortText(rawName);
  if (auto known = pseudonymOf(name)) return *known;
  const auto key = crypto::randomSecret(PersonKeySize);
  auto fresh = "p-" + crypto::hex(crypto::hmacSha256(key, name).substr(0, PseudonymSize));
  database_.prepare("INSERT INTO audit_persons (name, key, pseudonym) VALUES (?, ?, ?)")
      .bind(name, store::Blob{key.view()}, fresh)
      .run();
  return fresh;
}

std::string AuditLog::nameOf(std::string_view pseudonym) const {
  auto select = database_.prepare("SELECT name FROM audit_persons WHERE pseudonym = ?");
  return select.bind(pseudonym).step() ? select.text(0) : std::string();
}

bool AuditLog::erasePerson(std::string_view name) {
  database_.prepare("DELETE FROM audit_persons WHERE name = ?").bind(name).run();
  return database_.changes() > 0;
}

void AuditLog::setPolicyVersion(std::string_view version) {
  state();
  database_.prepare("UPDATE audit_state SET policy_version = ? WHERE id = 1").bind(version).run();
  if (series_) series_->policyVersion = version;
}

std::string AuditLog::policyVersion() const {
  auto select = database_.prepare("SELECT policy_version FROM audit_state WHERE id = 1");
  return select.bind().step() ? select.text(0) : std::string();
}

void AuditLog::declareRollback(const DeclaredRollback& rollback) {
  audit::Event event;
  event.actorKind = "user";
  event.actor = rollback.requester;
  event.approver = rollback.approver;
  event.action = std::string(audit::RollbackAction);
  event.objectType = "audit";
  event.reasonText = rollback.reason;
  event.number("size", rollback.knownSize).text("root", crypto::base64(rollback.knownRoot));
  if (rollback.from) event.number("from", *rollback.from);
  append(event);
}

std::uint64_t AuditLog::size() const {
  if (series_) return series_->range.size();
  auto select = database_.prepare("SELECT size FROM audit_state WHERE id = 1");
  return select.bind().step() ? select.unsignedInteger(0) : 0;
}

std::string AuditLog::root() const {
  if (series_) return series_->range.root();
  auto select = database_.prepare("SELECT size, peaks FROM audit_state WHERE id = 1");
  if (!select.bind().step()) return audit::emptyRoot();
  return audit::CompactRange(select.unsignedInteger(0), select.view(1)).root();
}

std::string AuditLog::logId() {
  return state().logId;
}

bool AuditLog::changedSinceCheckpoint() const {
  const auto newest = file().newestCheckpoint();
  auto select = database_.prepare(
      "SELECT 1 FROM audit_entries WHERE seq >= ? AND action NOT IN ('audit.anchored', 'audit.checkpoint') LIMIT 1");
  return select.bind(newest ? newest->size : 0).step();
}

void AuditLog::addCheckpoint(const audit::Checkpoint& checkpoint, std::string_view note) {
  database_.prepare("INSERT INTO audit_checkpoints (size, at, root, note) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(checkpoint.size, scene_.clock->now(), store::Blob{checkpoint.root}, note)
      .run();
}

void AuditLog::addAnchor(const AuditAnchorRow& anchor) {
  database_.prepare("INSERT INTO audit_anchors (kind, size, at, receipt) VALUES (?, ?, ?, ?)")
      .bind(anchor.kind, anchor.size, anchor.at, anchor.receipt)
      .run();
}

namespace {

// Numbered parameters, so that one bind serves whatever part of the text is there; the last one always is.
std::string listSql(const AuditFilter& filter) {
  std::string sql = "SELECT seq, entry FROM audit_entries WHERE seq < ?9 AND seq >= ?8";
  if (!filter.actor.empty()) sql += " AND actor = ?1";
  if (!filter.action.empty()) sql += " AND action = ?2";
  if (!filter.objectType.empty()) sql += " AND object_type = ?3";
  if (!filter.objectId.empty()) sql += " AND object_id = ?4 AND object_id <> ''";
  if (filter.matterId != 0) sql += " AND matter_id = ?5 AND matter_id <> 0";
  if (!filter.outcome.empty()) sql += " AND outcome = ?6";
  if (!filter.outcome.empty() && filter.outcome != "ok") sql += " AND outcome <> 'ok'";  // for the index
  return sql + " AND at >= ?7 ORDER BY seq DESC LIMIT ?10";
}

}  // namespace

std::uint64_t AuditLog::firstSince(TimePoint at) const {
  if (toMicros(at) == 0) return 0;
  auto select = database_.prepare("SELECT seq FROM audit_entries WHERE at >= ? ORDER BY at LIMIT 1");
  return select.bind(at).step() ? select.unsignedInteger(0) : size();
}

std::vector<AuditRow> AuditLog::list(const AuditFilter& filter) const {
  auto before = std::min(filter.before, size());
  if (toMicros(filter.until) != 0) before = std::min(before, firstSince(filter.until));
  const auto actor = pseudonymOf(filter.actor).value_or(filter.actor);
  auto select = database_.prepare(listSql(filter));
  select.bind(actor, filter.action, filter.objectType, filter.objectId, filter.matterId, filter.outcome, filter.from,
              firstSince(filter.from), before, filter.limit);
  std::vector<AuditRow> rows;
  while (select.step()) rows.push_back({select.unsignedInteger(0), select.blob(1)});
  return rows;
}

std::vector<std::string> AuditLog::anchoredNotes() const {
  auto select = database_.prepare(
      "SELECT note FROM audit_checkpoints WHERE size IN (SELECT size FROM audit_anchors) ORDER BY size");
  select.bind();
  std::vector<std::string> notes;
  while (select.step()) notes.push_back(select.text(0));
  return notes;
}

std::optional<AuditAnchorRow> AuditLog::newestAnchor(std::string_view kind) const {
  auto select =
      database_.prepare("SELECT kind, size, at, receipt FROM audit_anchors WHERE kind = ? ORDER BY id DESC LIMIT 1");
  if (!select.bind(kind).step()) return std::nullopt;
  return AuditAnchorRow{select.text(0), select.unsignedInteger(1), select.time(2), select.text(3)};
}

}  // namespace postern::listd
