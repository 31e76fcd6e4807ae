#include "core/app/Reload.h"

#include "core/base/Mutex.h"

#include <nlohmann/json.hpp>

namespace postern::app {

namespace {

struct All {
  Mutex mutex;
  config::SiteConfig started GUARDED_BY(mutex);
  config::SiteConfig inForce GUARDED_BY(mutex);
  ReloadState state GUARDED_BY(mutex);
};

All& all() {
  static All one;
  return one;
}

}  // namespace

void Settings::start(const config::SiteConfig& config, TimePoint now) {
  const MutexLock lock(all().mutex);
  all().started = all().inForce = config;
  all().state = {now, true, {}, {}, {}};
}

config::SiteConfig Settings::merged(const config::SiteConfig& fresh) {
  const MutexLock lock(all().mutex);
  return config::takeReloadable(all().started, fresh);
}

void Settings::reload(const config::SiteConfig& fresh, TimePoint now) {
  const MutexLock lock(all().mutex);
  ReloadState state{now, true, {}, {}, {}};
  for (const auto& change : config::changesBetween(all().started, fresh))
    (change.reloads ? state.taken : state.restart).push_back(change.setting);
  all().inForce = config::takeReloadable(all().started, fresh);
  all().state = std::move(state);
}

void Settings::refused(const std::string& problem, TimePoint now) {
  const MutexLock lock(all().mutex);
  auto& state = all().state;
  state.at = now;
  state.ok = false;
  state.problem = problem;
}

config::SiteConfig Settings::inForce() {
  const MutexLock lock(all().mutex);
  return all().inForce;
}

nlohmann::json settingsState(const std::string& process) {
  const auto state = Settings::state();
  return {{"process", process},       {"at", toMicros(state.at)}, {"ok", state.ok},
          {"problem", state.problem}, {"taken", state.taken},     {"restart", state.restart}};
}

ReloadState Settings::state() {
  const MutexLock lock(all().mutex);
  return all().state;
}

}  // namespace postern::app
