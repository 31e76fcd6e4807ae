// What monitors ask: is it alive, is it ready, how much of what. Nothing here tells a stranger about the site.
#include "core/app/ProcessMetrics.h"
#include "core/app/Reload.h"
#include "core/base/Error.h"
#include "core/net/IpRange.h"
#include "webadmin/pages/Pages.h"

#include <nlohmann/json.hpp>

namespace postern::webadmin::pages {

namespace {

bool isMonitor(const Visit& visit) {
  const auto networks = app::Settings::inForce().monitorNetworks;
  std::string one;
  std::istringstream all(networks);
  while (std::getline(all, one, ',')) {
    one.erase(std::remove(one.begin(), one.end(), ' '), one.end());
    const auto range = net::IpRange::parse(one);
    if (range && range->contains(visit.request.clientAddress)) return true;
  }
  return false;
}

nlohmann::json ask(Visit& visit, const char* order) {
  return visit.tools.orders.give(order, {"system", "webadmin"}, nlohmann::json::object());
}

}  // namespace

// 200 while this process and listd answer, else 503.
Response health(Visit& visit) {
  try {
    ask(visit, "health");
    return jsonResponse(200, {{"status", "ok"}, {"listd", "ok"}});
  } catch (const app::OrderRefused&) {
    return jsonResponse(503, {{"status", "unavailable"}, {"listd", "does not work"}});
  } catch (const std::exception&) {
    return jsonResponse(503, {{"status", "unavailable"}, {"listd", "does not answer"}});
  }
}

// This process alone: who restarts what does not answer must not restart it because another is away.
Response healthLive(Visit&) {
  return jsonResponse(200, {{"status", "ok"}});
}

// 200 while mail that comes is taken and goes on; why not, is for monitors.
Response healthReady(Visit& visit) {
  bool ready = false;
  auto reasons = nlohmann::json::array();
  try {
    const auto answer = ask(visit, "health");
    ready = answer.value("ready", false);
    reasons = answer.value("reasons", reasons);
  } catch (const std::exception&) {
    reasons.push_back("listd-away");
  }
  nlohmann::json body{{"status", ready ? "ready" : "not-ready"}};
  if (isMonitor(visit)) body["reasons"] = std::move(reasons);
  return jsonResponse(ready ? 200 : 503, body);
}

// Prometheus text format 0.0.4, of all three processes. What is away is said by postern_up.
Response metrics(Visit& visit) {
  if (!isMonitor(visit)) throw app::OrderRefused({"not-found", "There is no such page.", ""});
  postern::metrics::Page page;
  try {
    page.merge(ask(visit, "metrics").at("families"));
  } catch (const app::OrderRefused&) {
    page.gauge("postern_up", "1 while a process answers.", 0, {{"process", "listd"}});
  } catch (const Error&) {
    page.gauge("postern_up", "1 while a process answers.", 0, {{"process", "listd"}});
  }
  page.gauge("postern_up", "1 while a process answers.", 1, {{"process", "webadmin"}});
  if (const auto ends = visit.tools.certificate.notAfter()) {
    const std::chrono::duration<double> left = *ends - visit.now();
    page.gauge("postern_certificate_left_seconds", "Time until a certificate ends; of several the first.", left.count(),
               {{"certificate", "web"}});
  }
  app::addProcess(page, "webadmin");
  Response response;
  response.contentType = "text/plain; version=0.0.4; charset=utf-8";
  response.body = page.text();
  return response;
}

}  // namespace postern::webadmin::pages
