#include "listd/search/SearchStore.h"

namespace postern::listd {
namespace {

constexpr const char* SavedColumns =
    "SELECT id, matter_id, name, sealed_query, saved_at, saved_by FROM saved_searches ";
constexpr const char* ExportColumns =
    "SELECT id, matter_id, job_id, format, redact_bcc, state, trouble, sealed_query, sealed_passphrase, created_at, "
    "created_by, finished_at, expires_at, starts, objects, missing, bytes, sha256, manifest_sha256 FROM exports ";

SavedSearch savedOf(const store::Statement& row) {
  return {row.unsignedInteger(0), row.unsignedInteger(1), row.text(2), row.blob(3), row.time(4), row.text(5)};
}

Export exportOf(const store::Statement& row) {
  Export made;
  made.id = row.unsignedInteger(0);
  made.matterId = row.unsignedInteger(1);
  made.jobId = row.unsignedInteger(2);
  made.format = row.text(3);
  made.redactBcc = row.boolean(4);
  made.state = row.text(5);
  made.trouble = row.text(6);
  made.sealedQuery = row.blob(7);
  made.sealedPassphrase = row.blob(8);
  made.createdAt = row.time(9);
  made.createdBy = row.text(10);
  made.finishedAt = row.time(11);
  made.expiresAt = row.time(12);
  made.starts = static_cast<std::uint32_t>(row.integer(13));
  made.objects = row.unsignedInteger(14);
  made.missing = row.unsignedInteger(15);
  made.bytes = row.unsignedInteger(16);
  made.sha256 = row.text(17);
  made.manifestSha256 = row.text(18);
  return made;
}

}  // namespace

std::optional<std::uint64_t> SearchStore::save(const SavedSearch& search) {
  database_
      .prepare(
          "INSERT INTO saved_searches (matter_id, name, sealed_query, saved_at, saved_by) VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT (matter_id, name) DO NOTHING")
      .bind(search.matterId, search.name, store::Blob{search.sealedQuery}, search.savedAt, search.savedBy)
      .run();
  if (database_.changes() == 0) return std::nullopt;
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::vector<SavedSearch> SearchStore::savedIn(std::uint64_t matterId) const {
  std::vector<SavedSearch> all;
  auto select = database_.prepare(std::string(SavedColumns) + "WHERE matter_id = ? ORDER BY name");
  select.bind(matterId);
  while (select.step()) all.push_back(savedOf(select));
  return all;
}

std::optional<SavedSearch> SearchStore::savedSearch(std::uint64_t id) const {
  auto select = database_.prepare(std::string(SavedColumns) + "WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return savedOf(select);
}

bool SearchStore::removeSaved(std::uint64_t id) {
  database_.prepare("DELETE FROM saved_searches WHERE id = ?").bind(id).run();
  return database_.changes() > 0;
}

std::uint64_t SearchStore::addExport(const Export& made, const std::vector<std::uint64_t>& objects) {
  database_
      .prepare(
          "INSERT INTO exports (matter_id, format, redact_bcc, state, sealed_query, sealed_passphrase, created_at, "
          "created_by, objects) VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?, ?)")
      .bind(made.matterId, made.format, made.redactBcc, store::Blob{made.sealedQuery},
            store::Blob{made.sealedPassphrase}, made.createdAt, made.createdBy, objects.size())
      .run();
  const auto id = static_cast<std::uint64_t>(database_.lastInsertId());
  auto insert = database_.prepare("INSERT INTO export_objects (export_id, number, object_id) VALUES (?, ?, ?)");
  std::uint64_t number = 0;
  for (const auto object : objects) insert.bind(id, ++number, object).run();
  return id;
}

void SearchStore::update(const Export& made) {
  database_
      .prepare(
          "UPDATE exports SET job_id = ?, state = ?, trouble = ?, sealed_query = ?, sealed_passphrase = ?, "
          "finished_at = ?, expires_at = ?, starts = ?, objects = ?, missing = ?, bytes = ?, sha256 = ?, "
          "manifest_sha256 = ? WHERE id = ?")
      .bind(made.jobId, made.state, made.trouble, store::Blob{made.sealedQuery}, store::Blob{made.sealedPassphrase},
            made.finishedAt, made.expiresAt, made.starts, made.objects, made.missing, made.bytes, made.sha256,
            made.manifestSha256, made.id)
      .run();
}

std::optional<Export> SearchStore::findExport(std::uint64_t id) const {
  auto select = database_.prepare(std::string(ExportColumns) + "WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return exportOf(select);
}

std::vector<Export> SearchStore::exports(std::uint64_t matterId) const {
  std::vector<Export> all;
  auto select = database_.prepare(std::string(ExportColumns) + "WHERE ?1 = 0 OR matter_id = ?1 ORDER BY id DESC");
  select.bind(matterId);
  while (select.step()) all.push_back(exportOf(select));
  return all;
}

std::vector<std::uint64_t> SearchStore::listsOf(std::uint64_t exportId) const {
  auto select = database_.prepare(
      "SELECT DISTINCT r.list_id FROM export_objects x JOIN object_references r ON r.object_id = x.object_id WHERE "
      "x.export_id = ?");
  select.bind(exportId);
  std::vector<std::uint64_t> lists;
  while (select.step()) lists.push_back(select.unsignedInteger(0));
  return lists;
}

std::vector<std::uint64_t> SearchStore::objectsOf(std::uint64_t exportId) const {
  std::vector<std::uint64_t> objects;
  auto select = database_.prepare("SELECT object_id FROM export_objects WHERE export_id = ? ORDER BY number");
  select.bind(exportId);
  while (select.step()) objects.push_back(select.unsignedInteger(0));
  return objects;
}

void SearchStore::addDownload(std::uint64_t exportId, const Download& download) {
  database_.prepare("INSERT INTO export_downloads (export_id, at, person) VALUES (?, ?, ?)")
      .bind(exportId, download.at, download.person)
      .run();
}

std::vector<Download> SearchStore::downloadsOf(std::uint64_t exportId) const {
  std::vector<Download> all;
  auto select = database_.prepare("SELECT at, person FROM export_downloads WHERE export_id = ? ORDER BY at");
  select.bind(exportId);
  while (select.step()) all.push_back({select.time(0), select.text(1)});
  return all;
}

}  // namespace postern::listd
