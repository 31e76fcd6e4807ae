// A store that works while its process is confined to its own folder: SQLite must not want temporary files elsewhere.
#include "core/app/Confinement.h"
#include "core/store/Database.h"
#include "tests/support/TempFolder.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace postern;

namespace {

// Large enough that SQLite's journal of one statement outgrows its memory (64 kB).
bool updatesManyRows(const std::filesystem::path& file) {
  auto database = store::Database::openWriter(file);
  database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
  store::Transaction transaction(database);
  store::Savepoint savepoint(database);
  for (int i = 0; i < 20'000; ++i)
    database.prepare("INSERT INTO t (name) VALUES (?)").bind(std::string(200, 'x') + std::to_string(i)).run();
  database.execute("UPDATE t SET name = name || '.'");
  savepoint.release();
  transaction.commit();
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(across_ConfinedStore)

BOOST_AUTO_TEST_CASE(a_confined_process_updates_many_rows_without_a_temporary_file) {
  test::TempFolder folder;
  const auto process = ::fork();
  if (process == 0) {
    bool good = false;
    try {
      app::Confinement confinement;
      good = confinement.mayWrite(folder.path()).enforce() && updatesManyRows(folder / "t.db");
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

BOOST_AUTO_TEST_SUITE_END()
