#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One run of `postern backup`.
struct BackupRow {
  std::uint64_t id = 0;
  std::string outcome;  // "made", "failed", "proven" (put back elsewhere and opened), "refuted"
  TimePoint at;
  std::string repository;
  std::string content;  // snapshot of the contents
  std::string keys;     // snapshot of the keys
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // that were new
  std::string message;
};

// Threads: those of the connection. Errors: Error(Store).
class BackupStore {
public:
  explicit BackupStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const BackupRow& row);
  std::optional<BackupRow> newest(std::string_view outcome) const;
  std::vector<BackupRow> list(std::uint32_t limit) const;  // newest first

private:
  store::Database& database_;
};

// The objects that a copy of site.db calls stored.
void storedObjectsOf(const std::filesystem::path& siteCopy, const std::function<void(std::uint64_t id)>& show);

}  // namespace postern::listd
