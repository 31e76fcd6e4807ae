#include "core/base/Error.h"
#include "core/store/Migrator.h"
#include "listd/site/SiteStore.h"
#include "listd/SiteMigrations.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

struct Fixture {
  TempFolder folder;
  FakeClock clock{TestNow};
  SiteStore site{folder / "listd/site.db", clock};

  std::uint64_t addList(const std::string& address = "board@lists.example", bool secure = true) {
    return site.write([&](SiteTables& tables) {
      if (!tables.domains.find("lists.example")) tables.domains.add({"lists.example", "list", TestNow, 0});
      List list;
      list.address = address;
      list.domain = "lists.example";
      list.secure = secure;
      list.certificate = "x";
      return tables.lists.add(list);
    });
  }

  void addMembers(std::uint64_t listId, int count) {
    site.write([&](SiteTables& tables) {
      for (int i = 0; i < count; ++i) {
        Member member;
        member.listId = listId;
        member.address = "m" + std::to_string(1'000'000 + i) + "@example.org";
        tables.members.add(member, i % 10 == 0 ? Decision{app::Protection::None, Reason::NoKey, {}}
                                               : Decision{app::Protection::Smime, Reason::ValidCertificate, "f"});
      }
    });
  }
};

// The steps by which SQLite answers a statement.
std::string planOf(const std::filesystem::path& file, const std::string& sql) {
  auto database = store::Database::openReader(file);
  auto explain = database.prepare("EXPLAIN QUERY PLAN " + sql);
  explain.bind();
  std::string plan;
  while (explain.step()) plan += explain.text(3) + "\n";
  return plan;
}

std::string schemaOf(const std::filesystem::path& file) {
  auto database = store::Database::openReader(file);
  auto select = database.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name");
  select.bind();
  std::string schema;
  while (select.step()) schema += select.text(0) + "\n";
  return schema;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_site_SiteStore)

BOOST_AUTO_TEST_CASE(a_new_file_and_one_brought_up_script_by_script_have_the_same_schema) {
  const Fixture fresh;
  const TempFolder folder;
  {
    auto database = store::Database::openWriter(folder / "site.db");
    const auto scripts = migrations::all();
    for (std::size_t known = 1; known <= scripts.size(); ++known)
      store::Migrator(scripts.first(known)).migrate(database);
    BOOST_TEST(store::Migrator(scripts).migrate(database) == 0);
  }
  BOOST_TEST(schemaOf(fresh.site.file()) == schemaOf(folder / "site.db"));
}

BOOST_AUTO_TEST_CASE(deliveries_of_before_the_counters_are_counted_from_the_ledger) {
  const TempFolder folder;
  auto database = store::Database::openWriter(folder / "site.db");
  const auto scripts = migrations::all();
  store::Migrator(scripts.first(1)).migrate(database);
  database.execute("PRAGMA foreign_keys = OFF");
  for (const auto* row : {"1, 'content', 'smime', 60000001", "2, 'content', 'smime', 119999999",
                          "3, 'content', 'smime', 0", "4, 'notice', 'none', 60000001"})
    database.execute(
        "INSERT INTO ledger (post_id, recipient, reason, key_fingerprint, state, id, kind, protection, "
        "delivered_at) VALUES (1, 'a@x.example', '', '', 'delivered', " +
        std::string(row) + ")");
  store::Migrator(scripts).migrate(database);
  const auto counts = FlowStore(database).delivered(fromMicros(60'000'000));
  BOOST_REQUIRE_EQUAL(counts.size(), 1u);
  BOOST_TEST(counts.front().copies == 2u);
}

BOOST_AUTO_TEST_CASE(every_table_names_its_writer_in_the_migration) {
  for (const auto& script : migrations::all()) {
    const std::string text(script.content);
    for (auto at = text.find("CREATE TABLE"); at != std::string::npos; at = text.find("CREATE TABLE", at + 1)) {
      const auto comment = text.rfind("\n\n", at);
      BOOST_TEST(text.substr(comment, at - comment).find("Written by postern-listd") != std::string::npos,
                 text.substr(at, 60));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_record_of_orders_cannot_be_changed_or_shortened) {
  Fixture f;
  f.site.write([](SiteTables& tables) { tables.audit.append(audit::Event()); });
  BOOST_TEST(f.site.read([](SiteTables& tables) { return tables.audit.size(); }) == 1u);
  // Over a connection of its own, on a copy: what anybody with the file could try.
  const TempFolder copy;
  store::Database::openReader(f.site.file()).backupTo(copy / "copy.db");
  auto writer = store::Database::openWriter(copy / "copy.db");
  BOOST_CHECK_THROW(writer.execute("UPDATE audit_entries SET outcome = 'x'"), Error);
  BOOST_CHECK_THROW(writer.execute("DELETE FROM audit_entries"), Error);
}

BOOST_AUTO_TEST_CASE(copy_keys_never_come_again_even_when_the_database_is_older_than_the_gateway) {
  const TempFolder folder;
  std::uint64_t last = 0;
  {
    FakeClock clock(TestNow);
    SiteStore site(folder / "site.db", clock);
    last = site.write([](SiteTables& tables) { return tables.counters.take(CounterStore::Copy, 500) + 499; });
  }
  std::filesystem::remove(folder / "site.db");  // restored from nothing, a day later
  for (const auto* suffix : {"site.db-wal", "site.db-shm"}) std::filesystem::remove(folder / suffix);
  FakeClock clock(TestNow + std::chrono::days(1));
  SiteStore site(folder / "site.db", clock);
  const auto next = site.write([](SiteTables& tables) { return tables.counters.take(CounterStore::Copy); });
  BOOST_TEST(next > last);
  BOOST_TEST(next < (1ull << 53));
}

BOOST_AUTO_TEST_CASE(a_job_that_throws_leaves_nothing_behind) {
  Fixture f;
  BOOST_CHECK_THROW(f.site.write([](SiteTables& tables) {
    tables.domains.add({"x.example", "list", TestNow, 0});
    throw Error(ErrorKind::Invariant, "stop");
  }),
                    Error);
  BOOST_TEST(f.site.read([](SiteTables& tables) { return tables.domains.all().size(); }) == 0u);
}

BOOST_AUTO_TEST_CASE(counts_of_a_roster_follow_every_change_of_it) {
  Fixture f;
  const auto list = f.addList();
  f.addMembers(list, 100);
  f.site.write([&](SiteTables& tables) {
    tables.members.remove(list, "m1000000@example.org");
    auto member = *tables.members.find(list, "m1000001@example.org");
    member.enabled = false;
    tables.members.update(member, {app::Protection::Smime, Reason::ValidCertificate, "f"});
    tables.members.setStanding(*tables.members.find(list, "m1000010@example.org"),
                               {app::Protection::Smime, Reason::ValidCertificate, "f"});
  });
  f.site.read([&](SiteTables& tables) {
    BOOST_TEST(tables.members.count(list, {}) == 99u);
    BOOST_TEST(tables.members.count(list, {"disabled", {}}) == 1u);
    BOOST_TEST(tables.members.count(list, {"withheld", {}}) == 8u);
    for (const auto* standing : {"ready", "withheld", "disabled"}) {
      std::uint64_t counted = 0;
      for (std::string after;;) {
        const auto page = tables.members.page(list, {standing, {}}, after, 7);
        counted += page.size();
        if (page.size() < 7) break;
        after = page.back().address;
      }
      BOOST_TEST(tables.members.count(list, {standing, {}}) == counted, standing);
    }
  });
}

BOOST_AUTO_TEST_CASE(pages_of_a_roster_of_100000_are_read_by_an_index_and_never_sorted) {
  Fixture f;
  const auto list = f.addList();
  f.addMembers(list, 100'000);
  for (const MemberFilter& filter : {MemberFilter{}, MemberFilter{"withheld", {}}, MemberFilter{{}, "m10500"}}) {
    const auto plan = planOf(f.site.file(), memberPageSql(filter));
    BOOST_TEST(plan.find("USING INDEX") != std::string::npos, plan);
    BOOST_TEST(plan.find("SCAN") == std::string::npos, plan);
    BOOST_TEST(plan.find("TEMP B-TREE") == std::string::npos, plan);
  }
  f.site.read([&](SiteTables& tables) {
    const auto page = tables.members.page(list, {"withheld", {}}, "m1099000@example.org", 5);
    BOOST_REQUIRE_EQUAL(page.size(), 5u);
    BOOST_TEST(page[0].address == "m1099010@example.org");
    BOOST_TEST(page[4].address == "m1099050@example.org");
    const auto prefix = tables.members.page(list, {{}, "m109999"}, "", 100);
    BOOST_TEST(prefix.size() == 10u);
    BOOST_TEST(tables.members.withPart(list, "M1099999", "", 100).members.size() == 1u);
    const auto part = tables.members.withPart(list, "99999", "m1099999@example.org", 3);
    BOOST_TEST(part.total == 1u);
    BOOST_TEST(part.members.empty());
    const auto many = tables.members.withPart(list, "m10999", "m1099904@example.org", 3);
    BOOST_TEST(many.total == 100u);
    BOOST_REQUIRE_EQUAL(many.members.size(), 3u);
    BOOST_TEST(many.members[0].address == "m1099905@example.org");
    BOOST_TEST(tables.members.count(list, {}) == 100'000u);
  });
}

BOOST_AUTO_TEST_CASE(the_statements_of_the_ledger_and_the_posts_use_their_indexes) {
  const Fixture f;
  for (const auto* sql :
       {"SELECT id FROM ledger WHERE post_id = 1 AND id > 5 AND state = 'planned' ORDER BY id LIMIT 500",
        "SELECT id FROM posts WHERE state = 'planned' AND retry_at <= 5 ORDER BY retry_at, id LIMIT 4",
        "SELECT id FROM posts WHERE message_id = 'x'",
        "SELECT id FROM posts WHERE list_id = 1 AND id < 9 ORDER BY id DESC",
        "SELECT m.id FROM members m LEFT JOIN member_keys k ON k.address = m.address WHERE m.list_id = 1 AND m.state = "
        "'enabled' ORDER BY m.id"}) {
    const auto plan = planOf(f.site.file(), sql);
    BOOST_TEST(plan.find("SCAN") == std::string::npos, sql << "\n" << plan);
    BOOST_TEST(plan.find("TEMP B-TREE") == std::string::npos, sql << "\n" << plan);
  }
}

BOOST_AUTO_TEST_CASE(a_notice_may_go_once_in_a_day_for_each_list_and_reason) {
  Fixture f;
  f.site.write([](SiteTables& tables) {
    BOOST_TEST(tables.notices.take(1, "ann@example.org", "no-key", TestNow));
    BOOST_TEST(!tables.notices.take(1, "ann@example.org", "no-key", TestNow + std::chrono::hours(23)));
    BOOST_TEST(tables.notices.take(2, "ann@example.org", "no-key", TestNow));
    BOOST_TEST(tables.notices.take(1, "ann@example.org", "revoked", TestNow));
    BOOST_TEST(tables.notices.take(1, "ann@example.org", "no-key", TestNow + std::chrono::hours(24)));
  });
}

BOOST_AUTO_TEST_CASE(flow_adds_up_by_the_minute) {
  Fixture f;
  f.site.write([](SiteTables& tables) {
    tables.flow.add({.at = TestNow, .delivered = 2});
    tables.flow.add({.at = TestNow + std::chrono::seconds(59), .delivered = 3});
    tables.flow.add({.at = TestNow + std::chrono::seconds(60), .failed = 1});
    tables.flow.addDelivered(TestNow, "smime", 2);
    tables.flow.addDelivered(TestNow, "smime", 3);
    tables.flow.addDelivered(TestNow - std::chrono::minutes(1), "smime", 7);
    tables.flow.addRefusal(TestNow, "size");
    tables.flow.addRefusal(TestNow, "size");
  });
  f.site.read([](SiteTables& tables) {
    const auto minutes = tables.flow.minutes(TestNow);
    BOOST_REQUIRE_EQUAL(minutes.size(), 2u);
    BOOST_TEST(minutes[0].delivered == 5u);
    BOOST_TEST(minutes[1].failed == 1u);
    BOOST_TEST(tables.flow.sum(TestNow).delivered == 5u);
    BOOST_REQUIRE_EQUAL(tables.flow.delivered(TestNow).size(), 1u);
    BOOST_TEST(tables.flow.delivered(TestNow).front().copies == 5u);
    BOOST_TEST(tables.flow.refusals(TestNow).front().count == 2u);
  });
}

BOOST_AUTO_TEST_CASE(the_posts_and_recipients_of_an_object_are_found_without_reading_all) {
  Fixture f;
  for (const auto* sql :
       {"SELECT mail_from FROM posts WHERE vault_object = ?",
        "DELETE FROM ledger WHERE post_id IN (SELECT id FROM posts WHERE vault_object = ?)",
        "SELECT DISTINCT l.recipient FROM posts p JOIN ledger l ON l.post_id = p.id WHERE p.vault_object = ? AND "
        "l.kind = 'content'"}) {
    const auto plan = planOf(f.site.file(), sql);
    BOOST_TEST(plan.find("posts_by_object") != std::string::npos, plan);
    BOOST_TEST(plan.find("SCAN") == std::string::npos, plan);
  }
}

BOOST_AUTO_TEST_SUITE_END()
