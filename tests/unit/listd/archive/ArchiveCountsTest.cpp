#include "core/store/Database.h"
#include "tests/unit/listd/ListdFixture.h"

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <vector>

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

const TimePoint Start = fromMicros(1'767'225'600'000'000);

struct Archive {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{Start};
  SiteContext context{config, clock};
  List list = makeList(context, "board@lists.example", false);

  void add(std::uint64_t id, TimePoint receivedAt) {
    context.site.write([&](SiteTables& tables) {
      StoredObject object;
      object.id = id;
      object.receivedAt = receivedAt;
      object.size = id;
      object.sensitivity = "low";
      tables.archive.add(object, list.id, id);
    });
  }
  std::uint64_t count() {
    return context.site.read([](SiteTables& tables) { return tables.archive.count(); });
  }
  ListHoldings holding() {
    return context.site.read([](SiteTables& tables) { return tables.reports.holdings().at(0); });
  }
  std::uint64_t recount(const std::string& rows) const {
    auto reader = store::Database::openReader(context.site.file());
    auto select = reader.prepare("SELECT count(*) FROM " + rows);
    select.bind().step();
    return select.unsignedInteger(0);
  }
};

using Ids = std::vector<std::uint64_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_archive_Counts)

BOOST_AUTO_TEST_CASE(the_count_of_the_archive_is_what_a_recount_gives_after_random_changes) {
  Archive archive;
  std::mt19937 random(7);
  BOOST_TEST(archive.count() == 0U);
  for (int i = 0; i < 400; ++i) {
    const auto id = random() % 60 + 1;
    const bool fails = random() % 8 == 0;
    try {
      archive.context.site.write([&](SiteTables& tables) {
        if (random() % 3 == 0 || !tables.archive.find(id)) {  // again and again: a repeat counts once
          StoredObject object;
          object.id = id;
          object.receivedAt = Start;
          object.sensitivity = random() % 2 == 0 ? "low" : "high";
          tables.archive.add(object, archive.list.id, id);
        } else if (random() % 3 == 0) {
          tables.archive.removeReference(id, archive.list.id, Start);
        } else {
          tables.archive.setState(id, static_cast<ObjectState>(random() % 3), Start);
        }
        if (fails) throw Error(ErrorKind::Invariant, "taken back");
      });
    } catch (const Error&) {
      BOOST_TEST(fails);
    }
    BOOST_REQUIRE_EQUAL(archive.count(), archive.recount("objects WHERE state <> 'destroyed'"));
    const auto held = archive.holding();
    BOOST_REQUIRE_EQUAL(held.objects, archive.recount("object_references WHERE removed_at = 0"));
    BOOST_REQUIRE_EQUAL(held.newestObject != 0, held.objects != 0);
  }
  BOOST_TEST(archive.count() > 0U);
  BOOST_TEST(archive.count() < 60U);
}

// Both ways of making a page: along the index of receipts, and by looking at each.
BOOST_AUTO_TEST_CASE(pages_by_receipt_are_the_same_however_they_are_made) {
  Archive archive;
  std::mt19937_64 random(11);
  std::map<std::uint64_t, TimePoint> stored;
  archive.context.site.write([&](SiteTables& tables) {
    for (int i = 0; i < 6000; ++i) {
      StoredObject object;
      object.id = random() >> 1;
      object.receivedAt = Start + std::chrono::minutes(random() % 500);  // many at the same time
      object.sensitivity = "low";
      tables.archive.add(object, archive.list.id, 1);
      if (random() % 10 == 0)
        tables.archive.setState(object.id, ObjectState::Destroyed, Start);
      else
        stored.emplace(object.id, object.receivedAt);
    }
  });
  // Few, and spread or all of one time; most of all; all old ones, for which the way along the index is the longer.
  const auto last = Start + std::chrono::minutes(499);
  const std::vector<std::function<bool(std::uint64_t, TimePoint)>> kinds = {
      [](std::uint64_t id, TimePoint) { return id % 16 == 0; }, [&](std::uint64_t, TimePoint at) { return at == last; },
      [](std::uint64_t id, TimePoint) { return id % 16 != 0; },
      [](std::uint64_t, TimePoint at) { return at < Start + std::chrono::minutes(250); },
      [](std::uint64_t, TimePoint) { return false; }};
  for (const auto& kind : kinds)
    for (const auto order : {ArchiveStore::Order::Newest, ArchiveStore::Order::Oldest}) {
      Ids asked{1, 2, 3};  // not there: what the index may still name
      std::vector<std::pair<TimePoint, std::uint64_t>> expected;
      for (const auto& [id, at] : stored) {
        if (!kind(id, at)) continue;
        asked.push_back(id);
        expected.emplace_back(at, id);
      }
      std::sort(expected.begin(), expected.end());
      if (order == ArchiveStore::Order::Newest) std::reverse(expected.begin(), expected.end());
      for (const std::uint64_t skip : {0, 1, 20, 5000, 9999}) {
        if (skip > expected.size()) continue;
        const auto after = skip == 0 ? 0 : expected[skip - 1].second;
        const auto page = archive.context.site.read(
            [&](SiteTables& tables) { return tables.archive.byReceipt(asked, order, after, 20); });
        Ids found, wanted;
        for (const auto& object : page.objects) found.push_back(object.id);
        for (auto i = skip; i < std::min<std::uint64_t>(skip + 20, expected.size()); ++i)
          wanted.push_back(expected[i].second);
        BOOST_TEST(found == wanted, boost::test_tools::per_element());
        if (page.stored) BOOST_TEST(*page.stored == expected.size());
      }
    }
}

BOOST_AUTO_TEST_SUITE_END()
