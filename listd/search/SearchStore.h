#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct SavedSearch {
  std::uint64_t id = 0;
  std::uint64_t matterId = 0;
  std::string name;
  std::string sealedQuery;
  TimePoint savedAt;
  std::string savedBy;
};

struct Export {
  std::uint64_t id = 0;
  std::uint64_t matterId = 0;
  std::uint64_t jobId = 0;
  std::string format;  // "mbox" "eml" "load-file"
  bool redactBcc = false;
  std::string state = "waiting";  // then "done" "failed", later "removed" or "expired"
  std::string trouble;
  std::string sealedQuery;
  std::string sealedPassphrase;  // empty once the archive is written
  TimePoint createdAt;
  std::string createdBy;
  TimePoint finishedAt;
  TimePoint expiresAt;
  std::uint32_t starts = 0;  // how often the job began, counting those after a crash
  std::uint64_t objects = 0;
  std::uint64_t missing = 0;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::string manifestSha256;
};

struct Download {
  TimePoint at;
  std::string person;
};

// Saved searches and exports. Threads: those of the connection. Errors: Error(Store).
class SearchStore {
public:
  explicit SearchStore(store::Database& database) : database_(database) {}

  std::optional<std::uint64_t> save(const SavedSearch& search);  // nothing: the matter has one of that name
  std::vector<SavedSearch> savedIn(std::uint64_t matterId) const;
  bool removeSaved(std::uint64_t id);
  std::optional<SavedSearch> savedSearch(std::uint64_t id) const;

  std::uint64_t addExport(const Export& made, const std::vector<std::uint64_t>& objects);
  void update(const Export& made);  // all but what was asked for
  std::optional<Export> findExport(std::uint64_t id) const;
  std::vector<Export> exports(std::uint64_t matterId) const;  // 0: of all matters; newest first
  std::vector<std::uint64_t> objectsOf(std::uint64_t exportId) const;
  std::vector<std::uint64_t> listsOf(std::uint64_t exportId) const;  // on which they are or were
  void addDownload(std::uint64_t exportId, const Download& download);
  std::vector<Download> downloadsOf(std::uint64_t exportId) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
