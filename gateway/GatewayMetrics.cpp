#include "gateway/GatewayMetrics.h"

#include "core/app/ProcessMetrics.h"
#include "core/app/Reload.h"
#include "core/base/Error.h"
#include "gateway/ServerCertificate.h"

#include <nlohmann/json.hpp>

namespace postern::gateway {

namespace {

void addCertificate(metrics::Page& page, const config::SiteConfig& config, TimePoint now) {
  try {
    const auto certificate = serverCertificate(config);
    if (!certificate) return;
    const std::chrono::duration<double> left = certificate->notAfter() - now;
    page.gauge("postern_certificate_left_seconds", "Time until a certificate ends; of several the first.", left.count(),
               {{"certificate", "smtp"}});
  } catch (const Error&) {
    // A missing file is told by status; a scrape must not fail by it.
  }
}

}  // namespace

std::string metricsPage(const app::GatewayStats& stats, const config::SiteConfig& config,
                        const std::vector<app::ServerNameUse>& names, TimePoint now) {
  metrics::Page page;
  page.gauge("postern_smtp_sessions", "SMTP sessions that are open.", static_cast<double>(stats.sessions));
  constexpr const char* Queue = "Copies in the outbound queue, and accepted messages that wait for listd.";
  page.gauge("postern_queue", Queue, static_cast<double>(stats.waitingAccepted), {{"state", "accepted"}});
  page.gauge("postern_queue", Queue, static_cast<double>(stats.queued), {{"state", "waiting"}});
  page.gauge("postern_queue", Queue, static_cast<double>(stats.held), {{"state", "held"}});
  const std::chrono::duration<double> age =
      stats.oldestQueued == TimePoint() ? TimePoint::duration(0) : now - stats.oldestQueued;
  page.gauge("postern_queue_oldest_seconds", "Age of the oldest copy in the queue.", std::max(age.count(), 0.0));
  page.gauge("postern_problems", "Problems that a process knows of.", static_cast<double>(stats.problems.size()),
             {{"process", "gateway"}});
  addCertificate(page, config, now);
  for (const auto& name : names) {
    if (!name.hasCertificate || name.certificateEnds == TimePoint()) continue;
    const std::chrono::duration<double> left = name.certificateEnds - now;
    page.gauge("postern_certificate_left_seconds", "Time until a certificate ends; of several the first.", left.count(),
               {{"certificate", "smtp " + name.name}});
  }
  app::addProcess(page, "gateway");
  return nlohmann::json{{"families", page.toJson()}, {"config", app::settingsState("gateway")}}.dump();
}

}  // namespace postern::gateway
