#include "core/base/Files.h"
#include "tests/unit/webadmin/FakeSite.h"

using namespace postern;
using webadmin::SessionStore;
using Touch = SessionStore::Touch;

BOOST_AUTO_TEST_SUITE(webadmin_sessions)

namespace {
struct Fixture {
  test::TempFolder folder;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};
  SessionStore sessions{folder / "web.db", clock};
};
}  // namespace

BOOST_FIXTURE_TEST_CASE(an_open_session_is_found_by_its_token_alone, Fixture) {
  const auto token = sessions.open("ada", "admin", "192.0.2.1");
  BOOST_TEST(token.size() == 43u);
  BOOST_REQUIRE(sessions.find(token, Touch::Yes));
  BOOST_TEST(sessions.find(token, Touch::Yes)->account == "ada");
  BOOST_TEST(sessions.find(token, Touch::Yes)->role == "admin");
  BOOST_TEST(!sessions.find(token.substr(1) + "A", Touch::Yes));
  BOOST_TEST(!sessions.find("", Touch::Yes));
}

BOOST_FIXTURE_TEST_CASE(every_session_has_a_token_of_its_own, Fixture) {
  BOOST_TEST(sessions.open("ada", "admin", "") != sessions.open("ada", "admin", ""));
}

BOOST_FIXTURE_TEST_CASE(ends_after_fifteen_minutes_without_an_act, Fixture) {
  const auto token = sessions.open("ada", "admin", "");
  clock.advance(std::chrono::seconds(15 * 60 - 1));
  BOOST_TEST(sessions.find(token, Touch::No).has_value());
  clock.advance(std::chrono::seconds(1));
  BOOST_TEST(!sessions.find(token, Touch::Yes));
}

BOOST_FIXTURE_TEST_CASE(what_a_script_asks_does_not_hold_off_the_end, Fixture) {
  const auto token = sessions.open("ada", "admin", "");
  for (int i = 0; i < 15; ++i) {
    sessions.find(token, Touch::No);
    clock.advance(std::chrono::minutes(1));
  }
  BOOST_TEST(!sessions.find(token, Touch::No));
}

BOOST_FIXTURE_TEST_CASE(ends_after_twelve_hours_whatever_is_done, Fixture) {
  const auto token = sessions.open("ada", "admin", "");
  for (int i = 0; i < 12 * 6 - 1; ++i) {
    clock.advance(std::chrono::minutes(10));
    BOOST_REQUIRE(sessions.find(token, Touch::Yes).has_value());
  }
  clock.advance(std::chrono::minutes(10));
  BOOST_TEST(!sessions.find(token, Touch::Yes));
}

BOOST_FIXTURE_TEST_CASE(a_clock_set_back_ends_a_session_rather_than_lengthening_it, Fixture) {
  const auto token = sessions.open("ada", "admin", "");
  clock.advance(-std::chrono::hours(1));
  BOOST_TEST(!sessions.find(token, Touch::No));
}

BOOST_FIXTURE_TEST_CASE(a_closed_session_is_gone, Fixture) {
  const auto token = sessions.open("ada", "admin", "");
  const auto other = sessions.open("ada", "admin", "");
  sessions.close(token);
  BOOST_TEST(!sessions.find(token, Touch::No));
  BOOST_TEST(sessions.find(other, Touch::No).has_value());
}

BOOST_FIXTURE_TEST_CASE(the_token_is_not_in_the_file, Fixture) {
  const auto token = sessions.open("ada", "admin", "");
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.is_regular_file()) bytes += files::read(entry.path());
  BOOST_TEST(bytes.find("ada") != std::string::npos);  // the scan sees what is stored
  BOOST_TEST(bytes.find(token) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(sessions_survive_a_restart) {
  test::TempFolder folder;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};
  std::string token;
  { token = SessionStore(folder / "web.db", clock).open("ada", "admin", ""); }
  BOOST_TEST(SessionStore(folder / "web.db", clock).find(token, Touch::No).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
