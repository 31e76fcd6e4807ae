// The register of holds outside of every backup: what it puts back into an older site.db.
#include "listd/matters/HoldRegister.h"
#include "tests/unit/listd/matters/RecordsFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

json onList(const std::string& address) {
  return {{"lists", {address}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_matters_HoldRegister)

BOOST_AUTO_TEST_CASE(an_old_site_db_gets_every_hold_back_from_the_journal) {
  TempFolder old;
  TempFolder folder;
  auto config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  const auto file = folder.path() / "listd/site.db";
  HoldRow lost;
  Matter matter;
  { SiteContext context(config, clock); }
  std::filesystem::copy_file(file, old.path() / "site.db");
  {
    SiteContext context(config, clock);
    context.site.write([&](SiteTables& tables) {
      matter.name = "Case 7";
      matter.createdAt = clock.now();
      matter.createdBy = "olga";
      matter.id = tables.matters.add(matter);
      lost.hold.matterId = matter.id;
      lost.hold.name = "kept";
      lost.hold.scope = records::Predicate::parse(onList("a@lists.example")).value();
      lost.hold.silent = true;
      lost.hold.placedAt = clock.now();
      lost.placedBy = "olga";
      lost.hold.id = tables.holds.add(lost);
      journalPlaced(context, lost, matter);
      auto over = lost;
      over.hold.id = 0;
      over.hold.name = "released";
      over.hold.id = tables.holds.add(over);
      journalPlaced(context, over, matter);
      tables.holds.release(over.hold.id, clock.now(), std::chrono::days(30), "olga", "settled");
    });
    journalReleases(context);
    BOOST_TEST(replayHolds(context) == 0u);  // all is known
  }
  for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
  std::filesystem::copy_file(old.path() / "site.db", file);
  clock.advance(std::chrono::hours(1));
  SiteContext restored(config, clock);
  BOOST_TEST(restored.site.read([](SiteTables& tables) { return tables.holds.all().size(); }) == 0u);
  BOOST_TEST(replayHolds(restored) == 3u);
  BOOST_TEST(replayHolds(restored) == 0u);
  restored.site.read([&](SiteTables& tables) {
    const auto holds = tables.holds.allInForce(clock.now());
    BOOST_REQUIRE(holds.size() == 2u);
    BOOST_TEST(holds[0].name == "kept");
    BOOST_TEST(holds[0].silent);
    BOOST_TEST((holds[0].scope == lost.hold.scope));
    BOOST_TEST((holds[0].placedAt == lost.hold.placedAt));
    BOOST_TEST(!holds[0].releasedAt.has_value());
    BOOST_TEST((holds[1].inForceUntil() == TestNow + std::chrono::days(30)));
    BOOST_TEST(tables.matters.find(holds[0].matterId)->name == "Case 7");
  });
}

BOOST_AUTO_TEST_CASE(a_number_given_again_after_a_restore_hides_no_hold) {
  RecordsDesk h;
  const auto matter = h.matter();
  h.hold(matter, onList("a@lists.example"));
  HoldRow other;
  other.hold.id = 1;
  other.hold.name = "H";
  other.hold.scope = records::Predicate::parse(onList("b@lists.example")).value();
  other.hold.placedAt = TestNow;
  other.placedBy = "olga";
  Matter elsewhere{1, "Case 6", "", true, TestNow - std::chrono::days(1), "olga", {}};
  const auto payload = holdregister::placed(other, elsewhere);
  h.context.site.write([&](SiteTables& tables) {
    holdregister::Replay replay(tables);
    BOOST_TEST(replay.placed(payload));
    BOOST_TEST(!replay.placed(payload));
    BOOST_TEST(tables.holds.allInForce(TestNow).size() == 2u);
    BOOST_TEST(tables.matters.find(tables.holds.find(2)->hold.matterId)->name == "Case 6");
    BOOST_CHECK_THROW(replay.placed("{}"), Error);
    BOOST_CHECK_THROW(replay.placed("no json"), Error);
  });
}

// Two holds that are alike in all but their number: the release of one must not take the other.
BOOST_AUTO_TEST_CASE(of_holds_that_are_alike_a_restore_loses_none) {
  TempFolder folder, old;
  const auto config = siteConfig(folder.path());
  const auto file = config.path("listd/site.db");
  FakeClock clock{TestNow};
  {
    SiteContext context(config, clock);
    std::filesystem::copy_file(file, old.path() / "site.db");
    HoldRow twin;
    twin.hold.name = "H";
    twin.hold.scope = records::Predicate::parse(onList("a@lists.example")).value();
    twin.hold.placedAt = TestNow;
    twin.placedBy = "olga";
    Matter matter{0, "Case 8", "", true, TestNow, "olga", {}};
    context.site.write([&](SiteTables& tables) {
      matter.id = twin.hold.matterId = tables.matters.add(matter);
      tables.holds.add(twin);
      tables.holds.add(twin);
    });
    for (std::uint64_t id = 1; id <= 2; ++id) {
      twin.hold.id = id;
      journalPlaced(context, twin, matter);
    }
    context.site.write(
        [&](SiteTables& tables) { tables.holds.release(2, TestNow, std::chrono::days(30), "paul", "over"); });
    journalReleases(context);
    BOOST_TEST(replayHolds(context) == 0u);
  }
  for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
  std::filesystem::copy_file(old.path() / "site.db", file);
  SiteContext restored(config, clock);
  BOOST_TEST(replayHolds(restored) == 3u);
  BOOST_TEST(replayHolds(restored) == 0u);
  clock.advance(std::chrono::hours(24 * 31));
  restored.site.read([&](SiteTables& tables) {
    BOOST_TEST(tables.holds.all().size() == 2u);
    BOOST_TEST(tables.holds.allInForce(clock.now()).size() == 1u);
  });
}

BOOST_AUTO_TEST_SUITE_END()
