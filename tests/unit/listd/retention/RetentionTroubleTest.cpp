// A full disk and busy databases in a run: what cannot be done is kept, nothing goes half, and the next run ends it.
#include "listd/matters/HoldJournal.h"
#include "listd/retention/Retention.h"
#include "tests/support/FullDisk.h"
#include "tests/unit/listd/retention/RetentionFixture.h"

#include <set>

using namespace postern;
using namespace postern::test;

namespace {

struct TroubledSite : Site {
  static constexpr std::uint64_t Due = 150;
  std::vector<std::uint64_t> due, young;
  TroubledSite() {
    rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
    rule({{"tier", "floor"}, {"effect", "retain"}, {"period", "20 years"}, {"scope", onList("b")}});
    store("a", 1, due);
    store("b", 1001, young);
    goTo("2024-01-01");
  }
  void store(const std::string& name, std::uint64_t first, std::vector<std::uint64_t>& ids) {
    const auto listId = list(name).id;
    std::vector<std::string> contents;
    for (std::uint64_t i = 0; i < Due; ++i) contents.push_back("Subject: x\r\n\r\ncanary-body " + std::to_string(i));
    std::vector<vault::Vault::NewObject> objects;
    for (std::uint64_t i = 0; i < Due; ++i) objects.push_back({first + i, listId, contents[i]});
    context.vault.putAll(objects);
    context.site.write([&](SiteTables& tables) {
      for (std::uint64_t i = 0; i < Due; ++i) {
        StoredObject object;
        object.id = first + i;
        object.receivedAt = day("2020-01-01");
        object.size = contents[i].size();
        object.sensitivity = "low";
        tables.archive.add(object, listId, 0);
        ids.push_back(object.id);
      }
    });
  }
  void tryRun() {
    try {
      run();
    } catch (const Error&) {  // the run itself could not be written down: it is tried again
    }
  }
  // Every object is whole or gone with one line.
  std::uint64_t settled(const std::string& when) {
    gate().finishBegun();
    std::uint64_t gone = 0;
    for (const auto id : due) {
      const bool destroyed = context.site.read([&](SiteTables& tables) {
        const auto line = tables.retention.disposal(id);
        BOOST_TEST((tables.archive.find(id)->state == ObjectState::Destroyed) == (line && line->done), when);
        return line && line->done;
      });
      BOOST_TEST(readable(id) == !destroyed, when << " object " << id);
      if (destroyed) ++gone;
    }
    for (const auto id : young) BOOST_TEST(readable(id), when << " object " << id);
    BOOST_TEST(lines() == gone, when);
    return gone;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_retention_Trouble)

BOOST_AUTO_TEST_CASE(a_full_disk_keeps_and_the_next_run_ends_it) {
  std::set<std::uint64_t> seen;
  for (const rlim_t kilobytes : {1, 24, 48, 80, 120, 180, 260, 400, 700}) {
    TroubledSite site;
    const auto when = std::to_string(kilobytes) + " kB";
    {
      const FullDisk full(kilobytes * 1024);
      site.tryRun();
    }
    const auto before = site.settled(when);
    seen.insert(before);
    site.run();
    BOOST_TEST(site.settled(when + ", then space") == TroubledSite::Due);
  }
  BOOST_TEST(seen.contains(0));
}

BOOST_AUTO_TEST_CASE(databases_that_somebody_reads_for_long_keep_nothing_half) {
  for (const auto* file : {"keys/keys.db", "listd/site.db"}) {
    TroubledSite site;
    {
      auto reader = store::Database::openReader(site.folder / file);
      auto select = reader.prepare("SELECT count(*) FROM sqlite_master");
      const store::Transaction snapshot(reader, store::Transaction::Kind::Read);
      select.bind().step();
      site.tryRun();
      site.settled(std::string(file) + " is read");
    }
    site.run();
    BOOST_TEST(site.settled(std::string(file) + " is free") == TroubledSite::Due);
    if (const auto log = site.folder / "listd/site.db-wal"; std::filesystem::exists(log))
      BOOST_TEST(std::filesystem::file_size(log) == 0u);
    BOOST_TEST(filesWith(site.folder / "vault", "canary").empty());
  }
}

BOOST_AUTO_TEST_CASE(a_register_with_a_record_that_cannot_be_read_destroys_nothing_and_mail_goes_on) {
  for (const auto kind : {vault::Journal::Kind::HoldPlaced, vault::Journal::Kind::HoldReleased,
                          vault::Journal::Kind::FloorLocked, vault::Journal::Kind::Tombstone}) {
    TroubledSite site;
    site.context.journal.append(kind, "{\"id\":");
    replayHolds(site.context);
    Retention retention(site.context, &site.index);
    BOOST_TEST(site.context.journal.trouble().has_value());
    const auto run = site.run();
    BOOST_TEST(run.state == "refused");
    BOOST_TEST(run.words.find("register") != std::string::npos);
    const auto verdict = site.gate().dispose(DestructionCaller::Erasure, 0, {{site.due.front(), site.list("a").id}})[0];
    BOOST_TEST(verdict.kept == "register");
    BOOST_TEST(site.readable(site.due.front()));
    BOOST_TEST(site.settled("no register") == 0u);
    BOOST_TEST(site.readable(site.receive({"a"}, "2024-01-01", "still taken")));
  }
}

BOOST_AUTO_TEST_CASE(a_hold_placed_while_the_register_is_damaged_is_in_force_and_noted_once_it_is_whole) {
  const TempFolder folder;
  const auto config = siteConfig(folder.path());
  const FakeClock clock{day("2024-01-01")};
  Matter matter;
  matter.name = "Case";
  matter.createdBy = "olga";
  HoldRow hold;
  hold.hold.name = "H";
  hold.hold.scope.lists = {"a@lists.example"};
  hold.hold.placedAt = clock.now();
  {
    SiteContext context(config, clock);
    context.journal.distrust("test");
    context.site.write([&](SiteTables& tables) {
      hold.hold.matterId = matter.id = tables.matters.add(matter);
      hold.hold.id = tables.holds.add(hold);
      journalPlaced(context, hold, matter);
    });
    BOOST_TEST(context.journal.last() == 0u);
  }
  for (int start = 0; start < 2; ++start) {
    SiteContext context(config, clock);
    BOOST_TEST(replayHolds(context) == 0u);
    BOOST_TEST(context.journal.last() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_a_long_reader_keeps_in_the_files_is_told_and_goes_once_it_ends) {
  TroubledSite site;
  std::string wrapped;
  {
    auto reader = store::Database::openReader(site.folder / "keys/keys.db");
    auto select = reader.prepare("SELECT wrapped FROM object_keys WHERE object_id = ?");
    BOOST_TEST_REQUIRE(select.bind(site.due.front()).step());
    wrapped = select.blob(0);
  }
  auto gate = site.gate();
  std::uint64_t certificate = 0;
  const auto textOf = [&](std::uint64_t id) {
    return site.context.site.read([&](SiteTables& tables) { return tables.retention.certificate(id)->body; });
  };
  {
    auto reader = store::Database::openReader(site.folder / "keys/keys.db");
    auto select = reader.prepare("SELECT count(*) FROM object_keys");
    const store::Transaction snapshot(reader, store::Transaction::Kind::Read);
    BOOST_TEST_REQUIRE(select.bind().step());
    gate.dispose(DestructionCaller::RetentionRun, 0, {{site.due.front(), site.list("a").id}});
    BOOST_TEST(!site.readable(site.due.front()));
    BOOST_TEST_REQUIRE(!filesWith(site.folder.path(), wrapped).empty());
    BOOST_TEST(gate.remnants().keys);
    BOOST_TEST(!gate.remnants().rows);
    BOOST_TEST(gate.cleanUp().keys);  // as in each minute, as long as it is read
    certificate = site.context.site.read([](SiteTables& tables) { return tables.retention.certificates(0, 1); })[0].id;
    BOOST_TEST(textOf(certificate).find("remnants: the write-ahead log of keys.db") != std::string::npos);
  }
  BOOST_TEST(!gate.cleanUp().any());
  BOOST_TEST(filesWith(site.folder.path(), wrapped).empty());
  const auto cleaned = site.context.site.read([](SiteTables& tables) {
    AuditFilter filter;
    filter.action = "retention.cleaned";
    return tables.audit.list(filter).size();
  });
  BOOST_TEST(cleaned == 1u);
  gate.dispose(DestructionCaller::RetentionRun, 0, {{site.due.back(), site.list("a").id}});
  BOOST_TEST(textOf(certificate + 1).find("remnants: none") != std::string::npos);
}

// The writer is busy with others' work, a hold among it that comes before the last decision.
BOOST_AUTO_TEST_CASE(a_hold_that_comes_while_a_run_waits_for_the_writer_keeps) {
  TroubledSite site;
  const auto destroy = site.parts.destroy;
  std::uint64_t reached = 0;
  site.parts.destroy = [&](std::span<const std::uint64_t> ids) {
    reached += ids.size();
    destroy(ids);
  };
  // Comes to the writer between the gate's two jobs, where it can.
  std::atomic<bool> placed = false;
  const auto first = site.due.front();
  std::jthread other([&] {
    while (!placed) {
      site.context.site.write([&](SiteTables& tables) {
        const auto line = tables.retention.disposal(first);
        if (!line || line->done) return;
        Matter matter;
        matter.name = "Case";
        matter.createdBy = "olga";
        HoldRow hold;
        hold.hold.matterId = tables.matters.add(matter);
        hold.hold.name = "H";
        hold.hold.scope.lists = {"a@lists.example"};
        hold.hold.placedAt = site.clock.now();
        tables.holds.add(hold);
        placed = true;
      });
      const bool over = site.context.site.read([&](SiteTables& tables) {
        const auto line = tables.retention.disposal(first);
        return line && line->done;
      });
      if (over) return;
    }
  });
  site.run();
  other.join();
  BOOST_TEST(site.settled("a hold in between") == (placed ? 0u : TroubledSite::Due));
  BOOST_TEST(reached == (placed ? 0u : TroubledSite::Due));
  BOOST_TEST_MESSAGE("the hold came in between: " << placed);
}

BOOST_AUTO_TEST_SUITE_END()
