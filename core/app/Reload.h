#pragma once
#include "core/base/Clock.h"
#include "core/config/SiteConfig.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace postern::app {

// What came of reading postern.toml the last time, at the start or later: for `postern reload`, status and metrics.
struct ReloadState {
  TimePoint at;
  bool ok = true;
  std::string problem;               // why nothing was taken over
  std::vector<std::string> taken;    // settings as they are in force now, other than at the start of the process
  std::vector<std::string> restart;  // settings whose new value counts from the next start
};

// The settings in force, and how the last reading went. A reading is taken over whole or not at all.
// Threads: safe for all.
class Settings {
public:
  static void start(const config::SiteConfig& config, TimePoint now);
  static void reload(const config::SiteConfig& fresh, TimePoint now);
  static void refused(const std::string& problem, TimePoint now);
  static config::SiteConfig inForce();
  static config::SiteConfig merged(const config::SiteConfig& fresh);  // what reload(fresh) would put in force
  static ReloadState state();
};

// {process at ok problem taken restart}
nlohmann::json settingsState(const std::string& process);

}  // namespace postern::app
