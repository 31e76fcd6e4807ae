#include "core/app/ProcessMetrics.h"

#include "core/app/Reload.h"

namespace postern::app {

void addProcess(metrics::Page& page, std::string_view process) {
  page.addProcess(process);
  const auto state = Settings::state();
  const metrics::Labels labels{{"process", process}};
  page.gauge("postern_config_last_reload_successful", "1 when the settings were taken over at the last reading.",
             state.ok ? 1 : 0, labels);
  page.gauge("postern_config_last_reload_timestamp_seconds", "When the settings were last read.",
             static_cast<double>(toMicros(state.at) / 1'000'000), labels);
  page.gauge("postern_config_restart_needed", "Settings whose new value counts from the next start.",
             static_cast<double>(state.restart.size()), labels);
}

}  // namespace postern::app
