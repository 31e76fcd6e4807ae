#include "core/app/Reload.h"
#include "core/base/Error.h"
#include "core/config/Settings.h"

#include <nlohmann/json.hpp>

using namespace postern;

namespace {

config::SiteConfig parsed(const std::string& toml) {
  return config::parseSiteConfig(toml, "/data", "postern.toml");
}

constexpr TimePoint Early = TimePoint(std::chrono::hours(1));
constexpr TimePoint Late = TimePoint(std::chrono::hours(2));

}  // namespace

BOOST_AUTO_TEST_SUITE(core_app_Reload)

BOOST_AUTO_TEST_CASE(what_reloads_is_in_force_and_what_does_not_is_named) {
  app::Settings::start(parsed(""), Early);
  const auto fresh = parsed("[gateway]\nmax_recipients = 7\nmin_free_space = 5\n[log]\nlevel = \"debug\"\n");
  BOOST_TEST(app::Settings::merged(fresh).maxRecipients == 7u);
  app::Settings::reload(fresh, Late);
  const auto now = app::Settings::inForce();
  BOOST_TEST(now.maxRecipients == 7u);
  BOOST_TEST(now.logLevel == "debug");
  BOOST_TEST(now.minFreeSpace == config::SiteConfig().minFreeSpace);
  const auto state = app::settingsState("gateway");
  BOOST_TEST(state.at("taken") == (nlohmann::json{"gateway.max_recipients", "log.level"}));
  BOOST_TEST(state.at("restart") == nlohmann::json{"gateway.min_free_space"});
  BOOST_TEST(state.at("at") == toMicros(Late));
}

BOOST_AUTO_TEST_CASE(what_is_refused_leaves_all_as_it_was_and_says_so_until_it_is_mended) {
  app::Settings::start(parsed("[gateway]\nmax_recipients = 9\n"), Early);
  app::Settings::refused("postern.toml:2:1: no", Late);
  BOOST_TEST(app::Settings::inForce().maxRecipients == 9u);
  BOOST_TEST(!app::Settings::state().ok);
  BOOST_TEST(app::Settings::state().problem == "postern.toml:2:1: no");
  app::Settings::reload(parsed(""), Late);
  BOOST_TEST(app::Settings::state().ok);
  BOOST_TEST(app::Settings::inForce().maxRecipients == config::SiteConfig().maxRecipients);
}

BOOST_AUTO_TEST_CASE(each_setting_is_either_taken_over_or_says_that_it_needs_a_restart) {
  const config::SiteConfig usual;
  std::size_t reloading = 0;
  for (const auto& setting : config::allSettings()) reloading += setting.reloads ? 1 : 0;
  BOOST_TEST(reloading == 12u);  // docs/status.md names them
  BOOST_TEST(config::changesBetween(usual, usual).empty());
  auto other = usual;
  other.logFormat = "text";
  other.mxPort = 2525;
  const auto changes = config::changesBetween(usual, other);
  BOOST_TEST_REQUIRE(changes.size() == 2u);
  BOOST_TEST((changes[0].setting == "log.format" && changes[0].reloads));
  BOOST_TEST((changes[1].setting == "testing.mx_port" && !changes[1].reloads));
}

BOOST_AUTO_TEST_CASE(a_log_that_would_open_the_whole_site_to_its_processes_is_refused) {
  for (const auto* folder : {".", "/data", "/", "..", "log/.."})
    BOOST_CHECK_THROW(parsed("[log]\nfolder = \"" + std::string(folder) + "\"\n"), Error);
  for (const auto* wrong : {"to = \"syslog\"", "format = \"xml\"", "level = \"loud\""})
    BOOST_CHECK_THROW(parsed("[log]\n" + std::string(wrong) + "\n"), Error);
  BOOST_TEST(parsed("[log]\nfolder = \"/var/log/postern\"\n").logFolder == "/var/log/postern");
}

BOOST_AUTO_TEST_SUITE_END()
