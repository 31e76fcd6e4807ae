#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/store/Database.h"
#include "core/store/Migrator.h"
#include "core/store/WriterThread.h"
#include "tests/support/TempFolder.h"

#include <atomic>

using namespace postern;
using namespace postern::store;

namespace {

std::int64_t count(Database& database) {
  auto select = database.prepare("SELECT count(*) FROM t");
  select.step();
  return select.integer(0);
}

bool saysStore(const Error& error) {
  return error.kind() == ErrorKind::Store;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_store_Database)

BOOST_AUTO_TEST_CASE(binds_and_reads_every_type) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a, b, c, d, e, f)");
  const std::string zero("a\0b", 3);
  database.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)")
      .bind(std::uint64_t{0xffffffffffffffff}, zero, Blob{zero}, fromMicros(7), std::optional<int>(), true)
      .run();
  auto select = database.prepare("SELECT a, b, c, d, e, f, typeof(b), typeof(c) FROM t");
  BOOST_TEST(select.step());
  BOOST_TEST(select.unsignedInteger(0) == 0xffffffffffffffff);
  BOOST_TEST(select.text(1) == zero);
  BOOST_TEST(select.blob(2) == zero);
  BOOST_TEST(toMicros(select.time(3)) == 7);
  BOOST_TEST(select.isNull(4));
  BOOST_TEST(select.boolean(5));
  BOOST_TEST(select.text(6) == "text");
  BOOST_TEST(select.text(7) == "blob");
  BOOST_TEST(!select.step());
}

BOOST_AUTO_TEST_CASE(large_changes_and_sorts_make_no_temporary_file) {
  const auto temporaryFiles = [] {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      if (std::filesystem::read_symlink(entry, gone).string().find("etilqs") != std::string::npos) ++found;
    }
    return found;
  };
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
  {
    Transaction transaction(database);
    for (int i = 0; i < 2000; ++i)
      database.prepare("INSERT INTO t VALUES (?, ?)").bind(i, std::string(1000, static_cast<char>('a' + i % 26))).run();
    transaction.commit();
  }
  Transaction transaction(database);
  Savepoint savepoint(database);
  for (int i = 0; i < 2000; ++i)
    database.prepare("UPDATE t SET b = ? WHERE a = ?").bind(std::string(900, 'x'), i).run();
  BOOST_TEST(temporaryFiles() == 0);
  savepoint.release();
  auto reader = Database::openReader(folder / "d");
  auto sorted = reader.prepare("SELECT x.b || y.a AS c FROM t x, t y WHERE y.a < 20 ORDER BY c");
  BOOST_TEST(sorted.step());
  BOOST_TEST(temporaryFiles() == 0);
}

BOOST_AUTO_TEST_CASE(the_same_statement_can_be_used_inside_its_own_rows) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
  auto outer = database.prepare("SELECT a FROM t ORDER BY a");
  BOOST_TEST(outer.step());
  {
    auto inner = database.prepare("SELECT a FROM t ORDER BY a");
    BOOST_TEST(inner.step());
  }
  BOOST_TEST(outer.step());
  BOOST_TEST(outer.integer(0) == 2);
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_refused_and_a_reader_cannot_write) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a)");
  BOOST_CHECK_EXCEPTION(Database::openWriter(folder / "d"), Error, saysStore);
  auto reader = Database::openReader(folder / "d");
  BOOST_CHECK_EXCEPTION(reader.execute("INSERT INTO t VALUES (1)"), Error, saysStore);
  database.execute("INSERT INTO t VALUES (1)");
  BOOST_TEST(count(reader) == 1);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_not_committed_leaves_nothing) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a)");
  {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1)");
  }
  BOOST_TEST(count(database) == 0);
  BOOST_TEST(!database.inTransaction());
}

BOOST_AUTO_TEST_CASE(refuses_to_prepare_two_statements_at_once) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  BOOST_CHECK_THROW(database.prepare("SELECT 1; SELECT 2"), Error);
}

BOOST_AUTO_TEST_CASE(database_files_are_private) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a)");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const auto mode = entry.status().permissions() & std::filesystem::perms::all;
    BOOST_TEST(static_cast<unsigned>(mode & std::filesystem::perms(077)) == 0u, entry.path());
  }
}

BOOST_AUTO_TEST_CASE(deleted_rows_are_gone_from_the_files) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  database.execute("CREATE TABLE t (a); INSERT INTO t VALUES ('canary-4711')");
  database.execute("DELETE FROM t");
  BOOST_TEST(database.checkpoint());
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    BOOST_TEST(files::read(entry.path()).find("canary-4711") == std::string::npos, entry.path());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_store_Migrator)

BOOST_AUTO_TEST_CASE(applies_each_script_once_and_in_order) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  const EmbeddedFile scripts[] = {{"migrations/0002_more.sql", "INSERT INTO t VALUES (2)"},
                                  {"migrations/0001_initial.sql", "CREATE TABLE t (a)"}};
  BOOST_TEST(Migrator(scripts).migrate(database) == 2);
  BOOST_TEST(Migrator(scripts).migrate(database) == 0);
  BOOST_TEST(count(database) == 1);
}

BOOST_AUTO_TEST_CASE(a_script_that_fails_leaves_the_schema_before_it) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  const EmbeddedFile scripts[] = {{"migrations/0001_initial.sql", "CREATE TABLE t (a)"},
                                  {"migrations/0002_bad.sql", "INSERT INTO t VALUES (1); NONSENSE"}};
  BOOST_CHECK_THROW(Migrator(scripts).migrate(database), Error);
  BOOST_TEST(count(database) == 0);
  BOOST_TEST(Migrator({scripts, 1}).migrate(database) == 0);
}

BOOST_AUTO_TEST_CASE(refuses_a_newer_schema_and_an_edited_script) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  const EmbeddedFile scripts[] = {{"migrations/0001_initial.sql", "CREATE TABLE t (a)"},
                                  {"migrations/0002_more.sql", "INSERT INTO t VALUES (2)"}};
  Migrator(scripts).migrate(database);
  BOOST_CHECK_EXCEPTION(Migrator({scripts, 1}).migrate(database), Error, saysStore);
  const EmbeddedFile edited[] = {scripts[0], {"migrations/0002_more.sql", "INSERT INTO t VALUES (3)"}};
  BOOST_CHECK_EXCEPTION(Migrator(edited).migrate(database), Error, saysStore);
}

BOOST_AUTO_TEST_CASE(copies_a_database_with_a_schema_before_it_migrates) {
  const test::TempFolder folder;
  auto database = Database::openWriter(folder / "d");
  const EmbeddedFile scripts[] = {{"migrations/0001_initial.sql", "CREATE TABLE t (a); INSERT INTO t VALUES (1)"},
                                  {"migrations/0002_more.sql", "DELETE FROM t"}};
  Migrator({scripts, 1}).migrate(database);
  BOOST_TEST(!std::filesystem::exists(folder / "d.before-0001"));
  Migrator(scripts).migrate(database);
  auto copy = Database::openReader(folder / "d.before-0002");
  BOOST_TEST(count(copy) == 1);
  BOOST_TEST(count(database) == 0);
}

BOOST_AUTO_TEST_CASE(refuses_scripts_that_do_not_number_on) {
  const EmbeddedFile gap[] = {{"migrations/0002_more.sql", ""}};
  BOOST_CHECK_THROW(Migrator{gap}, Error);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(core_store_WriterThread)

BOOST_AUTO_TEST_CASE(a_job_that_fails_leaves_nothing_and_the_others_stand) {
  const test::TempFolder folder;
  auto opened = Database::openWriter(folder / "d");
  opened.execute("CREATE TABLE t (a UNIQUE)");
  WriterThread writer(std::move(opened));
  std::vector<std::future<void>> jobs;
  for (int i = 0; i < 30; ++i)
    jobs.push_back(writer.submit([i](Database& database) {
      database.prepare("INSERT INTO t VALUES (?)").bind(i).run();
      if (i % 3 == 0) throw Error(ErrorKind::Invariant, "on purpose");
    }));
  int failed = 0;
  for (auto& job : jobs) {
    try {
      job.get();
    } catch (const Error&) {
      ++failed;
    }
  }
  BOOST_TEST(failed == 10);
  auto reader = Database::openReader(folder / "d");
  BOOST_TEST(count(reader) == 20);
}

BOOST_AUTO_TEST_CASE(jobs_of_many_threads_are_all_there_when_completed) {
  const test::TempFolder folder;
  auto opened = Database::openWriter(folder / "d");
  opened.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
  WriterThread writer(std::move(opened));
  std::set<std::int64_t> ids;
  std::mutex mutex;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          const auto id = writer.call([](Database& database) {
            database.execute("INSERT INTO t (b) VALUES (1)");
            return database.lastInsertId();
          });
          std::lock_guard lock(mutex);
          ids.insert(id);
        }
      });
  }
  BOOST_TEST(ids.size() == 400);
  auto reader = Database::openReader(folder / "d");
  BOOST_TEST(count(reader) == 400);
}

BOOST_AUTO_TEST_CASE(a_full_database_fails_its_jobs_and_works_again_with_room) {
  const test::TempFolder folder;
  auto opened = Database::openWriter(folder / "d");
  opened.execute("CREATE TABLE t (a)");
  opened.execute("PRAGMA max_page_count=8");
  WriterThread writer(std::move(opened));
  const auto big = [](Database& database) {
    database.prepare("INSERT INTO t VALUES (?)").bind(std::string(100000, 'x')).run();
  };
  BOOST_CHECK_EXCEPTION(writer.run(big), Error, [](const Error& e) { return e.kind() == ErrorKind::DiskFull; });
  auto reader = Database::openReader(folder / "d");
  BOOST_TEST(count(reader) == 0);
  writer.run([](Database& database) { database.execute("INSERT INTO t VALUES (1)"); });
  BOOST_TEST(count(reader) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
