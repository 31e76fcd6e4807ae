// A full disk and busy databases in a run: what cannot be done is kept, nothing goes half, and the next run ends it.
#include "tests/unit/listd/retention/RetentionFixture.h"

#include <signal.h>
#include <sys/resource.h>

#include <set>

using namespace postern;
using namespace postern::test;

namespace {

// No file of this process grows beyond so many bytes while it lives: as a disk that is full.
class FullDisk {
public:
  explicit FullDisk(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

private:
  rlimit before_{};
};

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
