#include "listd/policy/PolicyStore.h"

#include <string>

namespace postern::listd {
namespace {

constexpr std::string_view Columns =
    "SELECT id, digest, sha256, state, made_at, made_by, note, in_force_at, in_force_by, reason, back_to, files FROM "
    "policy_revisions ";
constexpr std::string_view ColumnsWithoutFiles =
    "SELECT id, digest, sha256, state, made_at, made_by, note, in_force_at, in_force_by, reason, back_to, '' FROM "
    "policy_revisions ";

PolicyRevision readRow(const store::Statement& row) {
  PolicyRevision revision;
  revision.id = row.unsignedInteger(0);
  revision.digest = row.text(1);
  revision.sha256 = row.text(2);
  revision.state = row.text(3);
  revision.madeAt = row.time(4);
  revision.madeBy = row.text(5);
  revision.note = row.text(6);
  revision.inForceAt = row.time(7);
  revision.inForceBy = row.text(8);
  revision.reason = row.text(9);
  revision.backTo = row.unsignedInteger(10);
  revision.files = row.text(11);
  return revision;
}

std::optional<PolicyRevision> one(store::Statement& select) {
  if (!select.step()) return std::nullopt;
  return readRow(select);
}

std::string with(std::string_view columns, std::string_view rest) {
  return std::string(columns).append(rest);
}

}  // namespace

std::uint64_t PolicyStore::add(const PolicyRevision& revision) {
  database_
      .prepare(
          "INSERT INTO policy_revisions (digest, sha256, files, state, made_at, made_by, note, back_to) VALUES (?, "
          "?, ?, 'candidate', ?, ?, ?, ?)")
      .bind(revision.digest, revision.sha256, revision.files, revision.madeAt, revision.madeBy, revision.note,
            revision.backTo)
      .run();
  return database_.lastInsertId();
}

std::optional<PolicyRevision> PolicyStore::find(std::uint64_t id) const {
  auto select = database_.prepare(with(Columns, "WHERE id = ?"));
  select.bind(id);
  return one(select);
}

std::optional<PolicyRevision> PolicyStore::inForce() const {
  auto select = database_.prepare(with(Columns, "WHERE state = 'in-force'"));
  return one(select);
}

std::optional<PolicyRevision> PolicyStore::previous() const {
  auto select = database_.prepare(with(Columns, "WHERE state = 'former' ORDER BY in_force_at DESC, id DESC LIMIT 1"));
  return one(select);
}

std::optional<std::uint64_t> PolicyStore::sameFiles(std::string_view sha256) const {
  auto select = database_.prepare(
      "SELECT id FROM policy_revisions WHERE sha256 = ? AND state <> 'former' ORDER BY state = 'in-force' DESC, id "
      "DESC "
      "LIMIT 1");
  if (!select.bind(sha256).step()) return std::nullopt;
  return select.unsignedInteger(0);
}

std::vector<PolicyRevision> PolicyStore::page(std::uint64_t before, std::uint32_t limit) const {
  auto select = database_.prepare(with(ColumnsWithoutFiles, "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2"));
  select.bind(before, limit);
  std::vector<PolicyRevision> revisions;
  while (select.step()) revisions.push_back(readRow(select));
  return revisions;
}

void PolicyStore::putInForce(std::uint64_t id, std::string_view by, std::string_view reason, TimePoint now) {
  database_.prepare("UPDATE policy_revisions SET state = 'former' WHERE state = 'in-force'").run();
  database_
      .prepare(
          "UPDATE policy_revisions SET state = 'in-force', in_force_at = ?, in_force_by = ?, reason = ? WHERE id = "
          "?")
      .bind(now, by, reason, id)
      .run();
  forgetOld();
}

void PolicyStore::forgetOld() {
  database_
      .prepare(
          "DELETE FROM policy_revisions WHERE state = 'former' AND id NOT IN (SELECT id FROM policy_revisions WHERE "
          "state <> 'candidate' ORDER BY in_force_at DESC, id DESC LIMIT ?)")
      .bind(KeptInForce)
      .run();
  database_
      .prepare(
          "DELETE FROM policy_revisions WHERE state = 'candidate' AND id NOT IN (SELECT id FROM policy_revisions "
          "WHERE state = 'candidate' ORDER BY id DESC LIMIT ?) AND id NOT IN (SELECT revision FROM policy_shadow)")
      .bind(KeptCandidates)
      .run();
}

std::vector<PolicyStore::SetFacts> PolicyStore::sets() const {
  auto select = database_.prepare(
      "SELECT set_name, count(*), max(added_at) FROM policy_values GROUP BY set_name ORDER BY set_name");
  std::vector<SetFacts> sets;
  while (select.step()) sets.push_back({select.text(0), select.unsignedInteger(1), select.time(2)});
  return sets;
}

std::map<std::string, std::vector<std::string>> PolicyStore::values() const {
  auto select = database_.prepare("SELECT set_name, value FROM policy_values ORDER BY set_name, value");
  std::map<std::string, std::vector<std::string>> all;
  while (select.step()) all[select.text(0)].push_back(select.text(1));
  return all;
}

std::vector<std::string> PolicyStore::valuesOf(std::string_view set, std::string_view after,
                                               std::uint32_t limit) const {
  auto select =
      database_.prepare("SELECT value FROM policy_values WHERE set_name = ? AND value > ? ORDER BY value LIMIT ?");
  select.bind(set, after, limit);
  std::vector<std::string> values;
  while (select.step()) values.push_back(select.text(0));
  return values;
}

std::uint64_t PolicyStore::countOf(std::string_view set) const {
  auto select = database_.prepare("SELECT count(*) FROM policy_values WHERE set_name = ?");
  select.bind(set).step();
  return select.unsignedInteger(0);
}

std::uint64_t PolicyStore::countOfAll() const {
  auto select = database_.prepare("SELECT count(*) FROM policy_values");
  select.step();
  return select.unsignedInteger(0);
}

bool PolicyStore::addValue(std::string_view set, std::string_view value, std::string_view by, TimePoint now) {
  database_
      .prepare(
          "INSERT INTO policy_values (set_name, value, added_at, added_by) VALUES (?, ?, ?, ?) ON CONFLICT DO "
          "NOTHING")
      .bind(set, value, now, by)
      .run();
  return database_.changes() > 0;
}

bool PolicyStore::removeValue(std::string_view set, std::string_view value) {
  database_.prepare("DELETE FROM policy_values WHERE set_name = ? AND value = ?").bind(set, value).run();
  return database_.changes() > 0;
}

std::uint64_t PolicyStore::clearSet(std::string_view set) {
  database_.prepare("DELETE FROM policy_values WHERE set_name = ?").bind(set).run();
  return static_cast<std::uint64_t>(database_.changes());
}

std::optional<PolicyStore::ShadowRun> PolicyStore::shadow() const {
  auto select = database_.prepare("SELECT revision, started_at, started_by, until_at FROM policy_shadow");
  if (!select.step()) return std::nullopt;
  return ShadowRun{select.unsignedInteger(0), select.time(1), select.text(2), select.time(3)};
}

void PolicyStore::setShadow(const ShadowRun& run) {
  database_
      .prepare(
          "INSERT OR REPLACE INTO policy_shadow (id, revision, started_at, started_by, until_at) VALUES (1, ?, ?, "
          "?, ?)")
      .bind(run.revision, run.startedAt, run.startedBy, run.until)
      .run();
}

void PolicyStore::endShadow() {
  database_.prepare("DELETE FROM policy_shadow").run();
}

std::vector<PolicyStore::StoredPost> PolicyStore::posts(TimePoint from, TimePoint until, std::uint64_t after,
                                                        std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT id, queue_id, list_id, mail_from, received_at, vault_object, client, kind = 'domain' FROM posts WHERE id "
      "> ? AND received_at >= ? AND received_at < ? AND vault_object <> 0 ORDER BY id LIMIT ?");
  select.bind(after, from, until, limit);
  std::vector<StoredPost> posts;
  while (select.step())
    posts.push_back({select.unsignedInteger(0), select.text(1), select.unsignedInteger(2), select.text(3),
                     select.time(4), select.unsignedInteger(5), select.text(6), select.boolean(7)});
  return posts;
}

std::uint64_t PolicyStore::countPosts(TimePoint from, TimePoint until) const {
  auto select =
      database_.prepare("SELECT count(*) FROM posts WHERE received_at >= ? AND received_at < ? AND vault_object <> 0");
  select.bind(from, until).step();
  return select.unsignedInteger(0);
}

std::vector<std::string> PolicyStore::recipientsOf(std::uint64_t post, std::uint32_t limit) const {
  auto select =
      database_.prepare("SELECT DISTINCT recipient FROM ledger WHERE post_id = ? AND kind = 'content' LIMIT ?");
  select.bind(post, limit);
  std::vector<std::string> recipients;
  while (select.step()) recipients.push_back(select.text(0));
  return recipients;
}

}  // namespace postern::listd
