#include "core/records/Period.h"
#include "tests/support/RecordsWorld.h"

using namespace postern;
using namespace postern::records;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(core_records_Period)

BOOST_AUTO_TEST_CASE(reads_the_forms_that_people_write) {
  for (const auto* text : {"1 day", "90 days", "1 month", "18 months", "1 year", "7 years", "99999 days", "forever"})
    BOOST_TEST(period(text).text() == text);
  BOOST_TEST(period("1 days").text() == "1 day");
}

BOOST_AUTO_TEST_CASE(refuses_everything_else) {
  for (const auto* text :
       {"", "7", "7years", "years", "-1 years", "+1 years", " 7 years", "7 years ", "7  years", "7.5 years", "0 days",
        "100000 days", "99999999999999 years", "7 weeks", "Forever", "7 Years", "0x7 years"}) {
    const auto parsed = Period::parse(text);
    BOOST_TEST(!parsed.has_value(), text);
    if (!parsed) BOOST_TEST(!parsed.error().empty());
  }
}

BOOST_AUTO_TEST_CASE(adds_by_the_calendar) {
  const auto after = [](const char* start, const char* length) { return dayText(period(length).after(at(start))); };
  BOOST_TEST(after("2024-02-29", "1 year") == "2025-02-28");
  BOOST_TEST(after("2024-02-29", "4 years") == "2028-02-29");
  BOOST_TEST(after("2096-02-29", "4 years") == "2100-02-28");  // 2100 is no leap year
  BOOST_TEST(after("1996-02-29", "4 years") == "2000-02-29");
  BOOST_TEST(after("2024-01-31", "1 month") == "2024-02-29");
  BOOST_TEST(after("2023-01-31", "1 month") == "2023-02-28");
  BOOST_TEST(after("2024-10-31", "1 month") == "2024-11-30");
  BOOST_TEST(after("2024-12-31", "2 months") == "2025-02-28");
  BOOST_TEST(after("2024-11-30", "12 months") == "2025-11-30");
  BOOST_TEST(after("2025-01-10", "90 days") == "2025-04-10");
  BOOST_TEST(after("1960-01-31", "1 month") == "1960-02-29");
  BOOST_TEST(after("1969-12-31T23:59:59", "1 day") == "1970-01-01T23:59:59Z");
  BOOST_TEST(after("2025-01-10T09:30:05", "6 years") == "2031-01-10T09:30:05Z");
}

BOOST_AUTO_TEST_CASE(has_no_end_beyond_the_year_9999) {
  BOOST_TEST((period("forever").after(at("2025-01-10")) == Never));
  BOOST_TEST(dayText(period("1 day").after(at("9999-12-30T23:59:59"))) == "9999-12-31T23:59:59Z");
  BOOST_TEST((period("1 day").after(at("9999-12-31")) == Never));
  BOOST_TEST((period("99999 years").after(at("2025-01-10")) == Never));
  BOOST_TEST((Period{Period::Unit::Days, 4'294'967'295}.after(at("2025-01-10")) == Never));
  BOOST_TEST((Period{Period::Unit::Years, 4'294'967'295}.after(at("2025-01-10")) == Never));
  BOOST_TEST((period("1 day").after(Never) == Never));
  BOOST_TEST((period("1 day").after(Earliest) == Never));
}

BOOST_AUTO_TEST_CASE(compares_only_where_the_calendar_cannot_matter) {
  BOOST_TEST(period("12 months").lastsAtLeast(period("1 year")));
  BOOST_TEST(period("1 year").lastsAtLeast(period("12 months")));
  BOOST_TEST(period("366 days").lastsAtLeast(period("1 year")));
  BOOST_TEST(!period("365 days").lastsAtLeast(period("1 year")));
  BOOST_TEST(period("1 year").lastsAtLeast(period("365 days")));
  BOOST_TEST(!period("1 year").lastsAtLeast(period("366 days")));
  BOOST_TEST(period("forever").lastsAtLeast(period("forever")));
  BOOST_TEST(!period("9000 years").lastsAtLeast(period("forever")));
}

BOOST_AUTO_TEST_SUITE_END()
