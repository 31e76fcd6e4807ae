#pragma once
#include "core/base/EmbeddedFile.h"
#include "core/store/Database.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {

// Brings a database to the schema that this binary knows.
// Scripts are files "migrations/NNNN_what.sql" embedded by postern_embed, numbered from 0001 without gaps, never edited
// once released. Each runs in one transaction together with its row (version, name, SHA-256) in schema_migrations.
// Before the first change to a database that already has a schema, a copy "<file>.before-NNNN" is made beside it.
// Errors: Error(Store) with a line that says what to do when the schema is newer than this binary, when an applied
// script has another checksum, or when the scripts do not number on; nothing is changed then.
//
//   Migrator(migrations::all()).migrate(db);
class Migrator {
public:
  explicit Migrator(std::span<const EmbeddedFile> scripts);  // files that are no .sql are skipped

  // How many scripts were applied.
  int migrate(Database& database) const;

private:
  struct Script {
    int version;
    std::string name;
    std::string_view sql;
    std::string checksum;
  };
  std::vector<Script> scripts_;
};

}  // namespace postern::store
