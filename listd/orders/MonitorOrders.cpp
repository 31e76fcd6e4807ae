#include "listd/orders/MonitorOrders.h"

#include "core/app/JsonText.h"
#include "core/app/ProcessMetrics.h"
#include "core/app/Reload.h"
#include "core/base/Files.h"
#include "listd/orders/OrderTools.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds GatewayWait{2000};
constexpr std::uint32_t JobsLookedAt = 200;
constexpr std::chrono::seconds WebIsAwayAfter{90};

// When webadmin last asked; 0: never, so that nothing is known of it.
std::atomic<std::chrono::steady_clock::rep> lastBeat{0};

// Ready: mail that comes now is taken and goes on. The reasons are words, for programs and for docs/monitoring.md.
json health(OrderTools& tools, const OrderCall& call) {
  if (call.actor.name == "webadmin") lastBeat = std::chrono::steady_clock::now().time_since_epoch().count();
  const auto stats = tools.gateway.ask([](app::GatewayLink& link) { return link.stats(); }, GatewayWait);
  const auto& config = tools.context.config;
  auto reasons = json::array();
  if (!stats) reasons.push_back("gateway-away");
  if (stats && !stats->problems.empty()) reasons.push_back("gateway-problem");
  if (files::freeSpace(config.dataFolder) < config.minFreeSpace) reasons.push_back("disk-full");
  const bool ready = reasons.empty();
  return {{"ready", ready}, {"reasons", std::move(reasons)}};
}

void addDisk(metrics::Page& page, const config::SiteConfig& config) {
  page.gauge("postern_disk_free_bytes", "Free space on the disk of the data folder.",
             static_cast<double>(files::freeSpace(config.dataFolder)));
  page.gauge("postern_disk_reserve_bytes", "Free space below which nothing is accepted.",
             static_cast<double>(config.minFreeSpace));
}

void addJobs(metrics::Page& page, OrderTools& tools) {
  if (tools.jobs == nullptr) return;
  std::map<std::string, std::uint64_t> states{{"running", 0}, {"waiting", 0}, {"done", 0}, {"failed", 0}};
  for (const auto& job : tools.jobs->newest(JobsLookedAt)) ++states[job.state];
  for (const auto& [state, count] : states)
    page.gauge("postern_jobs", "Jobs by state, of the newest 200.", static_cast<double>(count), {{"state", state}});
}

// The list whose certificate ends first; which one it is stands in the status.
void addCertificates(metrics::Page& page, SiteTables& tables, TimePoint now) {
  std::optional<TimePoint> first;
  for (const auto& list : tables.lists.all())
    if (list.open && list.certificateEnds != TimePoint())
      first = std::min(first.value_or(list.certificateEnds), list.certificateEnds);
  if (!first) return;
  const std::chrono::duration<double> left = *first - now;
  page.gauge("postern_certificate_left_seconds", "Time until a certificate ends; of several the first.", left.count(),
             {{"certificate", "lists"}});
}

json metricsOf(OrderTools& tools, const OrderCall&) {
  metrics::Page page;
  const auto gateway = tools.gateway.ask([](app::GatewayLink& link) { return link.metrics(); }, GatewayWait);
  if (gateway) page.merge(app::parseJson(*gateway).value("families", json::object()));
  page.gauge("postern_up", "1 while a process answers.", gateway ? 1 : 0, {{"process", "gateway"}});
  page.gauge("postern_up", "1 while a process answers.", 1, {{"process", "listd"}});
  addDisk(page, tools.context.config);
  addJobs(page, tools);
  tools.context.site.read([&](SiteTables& tables) {
    addCertificates(page, tables, tools.now());
    page.gauge("postern_lists", "Lists of the site.", static_cast<double>(tables.lists.count()));
    page.total("postern_plaintext_on_secure_total",
               "Plain copies of secure lists that were delivered; never more than 0.",
               static_cast<double>(tables.counters.get(CounterStore::Plaintext)));
  });
  app::addProcess(page, "listd");
  return {{"families", page.toJson()}};
}

// How each process took the last reading of postern.toml; webadmin, which nobody here can ask, says it in /metrics.
json configState(OrderTools& tools, const OrderCall&) {
  auto items = json::array({app::settingsState("listd")});
  const auto gateway = tools.gateway.ask([](app::GatewayLink& link) { return link.metrics(); }, GatewayWait);
  if (gateway) items.push_back(app::parseJson(*gateway).value("config", json::object()));
  return {{"items", std::move(items)}};
}

constexpr OrderRow Table[] = {
    {"config.state", OrderKind::Reads, configState, {app::Role::Admin | app::Role::Auditor}},
    {"health", OrderKind::Reads, health, {app::Roles()}},
    {"metrics", OrderKind::Reads, metricsOf, {app::Roles()}},
};

}  // namespace

bool webIsAway() {
  const std::chrono::steady_clock::duration last{lastBeat.load()};
  return last.count() != 0 && std::chrono::steady_clock::now().time_since_epoch() - last > WebIsAwayAfter;
}

std::span<const OrderRow> monitorOrders() {
  return Table;
}

}  // namespace postern::listd
