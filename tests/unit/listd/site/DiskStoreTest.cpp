#include "listd/site/SiteStore.h"
#include "tests/support/TempFolder.h"

using namespace postern;
using namespace postern::listd;

BOOST_AUTO_TEST_SUITE(listd_site_DiskStore)

namespace {

constexpr std::uint64_t Gb = 1'000'000'000;

TimePoint day(int number) {
  return TimePoint(std::chrono::days(20'000 + number));
}

// A disk of 100 GB that fills by `perDay` each day.
std::vector<DiskDay> filling(int days, std::uint64_t perDay) {
  std::vector<DiskDay> made;
  for (int i = 0; i < days; ++i) {
    const auto used = 40 * Gb + static_cast<std::uint64_t>(i) * perDay;
    made.push_back({day(i), used, 100 * Gb - used, 0});
  }
  return made;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_forecast_names_the_day_on_which_only_the_reserve_is_left) {
  const auto days = filling(11, Gb);  // 50 GB used on day 10
  const auto forecast = forecastOf(days, day(10), 20 * Gb);
  BOOST_TEST(forecast.known);
  BOOST_TEST(forecast.growthPerDay == static_cast<std::int64_t>(Gb));
  BOOST_REQUIRE(forecast.fullAt.has_value());
  BOOST_TEST((*forecast.fullAt == day(40)));
}

BOOST_AUTO_TEST_CASE(a_forecast_needs_seven_days_and_names_no_day_without_growth_or_far_away) {
  BOOST_TEST(!forecastOf({}, day(0), Gb).known);
  BOOST_TEST(!forecastOf(filling(7, Gb), day(6), Gb).known);
  BOOST_TEST(forecastOf(filling(8, Gb), day(7), Gb).known);
  BOOST_TEST(!forecastOf(filling(30, 0), day(29), Gb).fullAt.has_value());
  BOOST_TEST(!forecastOf(filling(30, 1'000'000), day(29), Gb).fullAt.has_value());
  auto emptier = filling(30, Gb);
  std::reverse(emptier.begin(), emptier.end());
  for (int i = 0; i < 30; ++i) emptier[static_cast<std::size_t>(i)].at = day(i);
  const auto forecast = forecastOf(emptier, day(29), Gb);
  BOOST_TEST(forecast.growthPerDay < 0);
  BOOST_TEST(!forecast.fullAt.has_value());
  BOOST_TEST((forecastOf(filling(30, Gb), day(29), 90 * Gb).fullAt == day(29)));  // full already
}

BOOST_AUTO_TEST_CASE(the_last_look_of_a_day_stands_and_old_days_go) {
  test::TempFolder folder;
  FakeClock clock{day(500)};
  SiteStore site(folder / "site.db", clock);
  site.write([](SiteTables& tables) {
    tables.disk.note(day(0), 1, 9);
    tables.disk.note(day(499), 2, 8);
    tables.disk.note(day(500), 3, 7);
    tables.disk.note(day(500) + std::chrono::hours(5), 4, 6);
  });
  const auto days = site.read([](SiteTables& tables) { return tables.disk.days(day(0)); });
  BOOST_REQUIRE(days.size() == 2u);
  BOOST_TEST(days[1].used == 4u);
  BOOST_TEST(days[1].free == 6u);
  BOOST_TEST((days[1].at == day(500)));
}

BOOST_AUTO_TEST_SUITE_END()
