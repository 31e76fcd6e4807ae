#include "listd/orders/OperationProblems.h"

#include "core/app/Reload.h"
#include "core/mail/Text.h"
#include "listd/orders/MonitorOrders.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::hours QueueIsOld{4};
constexpr std::chrono::hours PoliciesLookedAt{1};
constexpr std::int64_t ReportDays = 7;
constexpr std::chrono::hours WebhookFails{24};

void add(json& problems, const char* rule, const char* severity, std::string what, std::string todo) {
  problems.push_back({{"rule", rule}, {"severity", severity}, {"what", std::move(what)}, {"do", std::move(todo)}});
}

void addQueue(json& problems, const std::optional<app::GatewayStats>& stats, TimePoint now) {
  if (!stats || stats->oldestQueued == TimePoint() || now - stats->oldestQueued < QueueIsOld) return;
  add(problems, "queue.old", "warning",
      "The oldest mail in the queue waits since " + formatRfc3339(stats->oldestQueued) + ".",
      "See why: postern queue list; ask a mail server for its TLS: postern probe DOMAIN");
}

void addPauses(json& problems, SiteTables& tables) {
  for (const auto& row : tables.destinations.all()) {
    if (!row.shape.paused) continue;
    const bool all = row.shape.destination == "*";
    add(problems, "queue.paused", "warning",
        (all ? std::string("No mail is sent") : "No mail is sent to " + row.shape.destination) + " since " +
            formatRfc3339(row.pausedAt) + ": it was paused.",
        "Let it go on: postern queue resume" + (all ? std::string() : " " + row.shape.destination));
  }
}

void addPolicies(json& problems, SiteTables& tables, TimePoint now) {
  for (const auto& refusal : tables.flow.refusals(now - PoliciesLookedAt))
    if (refusal.reason == "policy-broken")
      add(problems, "policy.failing", "error",
          "Policies failed " + std::to_string(refusal.count) + " times within the last hour; that mail was deferred.",
          "See the log of postern-gateway for the policy and why; run: postern policy test");
}

void addTlsReports(json& problems, SiteTables& tables, TimePoint now) {
  const auto today = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
  std::uint64_t failed = 0;
  for (const auto& day : tables.tlsReports.days(today - ReportDays)) failed += day.failed;
  if (failed > 0)
    add(problems, "tls-reports.failures", "warning",
        "Other sites report " + std::to_string(failed) + " TLS sessions to this one that failed within a week.",
        "See why: postern tlsrpt list");
}

// RFC 8460 §3: receivers take unsigned reports for nobody's.
void addReportKey(json& problems, SiteTables& tables, const std::string& contact) {
  if (contact.empty()) return;
  const auto domain = mail::lowerAscii(contact.substr(contact.rfind('@') + 1));
  for (const auto& key : tables.dkim.ofDomain(domain))
    if (key.service == "tlsrpt" && key.state == "active") return;
  add(problems, "tls-reports.unsigned", "warning",
      "Reports on TLS to other sites leave without a signature, so that these may throw them away.",
      "Make a key, publish its record, and it is taken: postern dkim add " + domain + " --service tlsrpt");
}

void addWebhooks(json& problems, SiteTables& tables, TimePoint now) {
  for (const auto& hook : tables.webhooks.all())
    if (hook.on && hook.failingSince != TimePoint() && now - hook.failingSince >= WebhookFails)
      add(problems, "webhook.failing", "warning",
          "The webhook " + std::to_string(hook.id) + " of " + hook.account + " has taken nothing since " +
              formatRfc3339(hook.failingSince) + "; " + std::to_string(hook.waiting) + " events wait.",
          "See why: postern webhook test " + std::to_string(hook.id) + "; or turn it off: postern webhook set " +
              std::to_string(hook.id) + " off");
}

void addSettings(json& problems) {
  const auto state = app::Settings::state();
  if (!state.ok)
    add(problems, "config.refused", "error", "postern.toml was refused, and all is as it was: " + state.problem,
        "Mend it and run: postern reload");
  if (state.restart.empty()) return;
  std::string names;
  for (const auto& name : state.restart) names += (names.empty() ? "" : ", ") + name;
  add(problems, "config.restart", "warning", "Changed settings count from the next start only: " + names + ".",
      "Start Postern again when it suits: systemctl restart postern.target");
}

void addWeb(json& problems) {
  if (webIsAway())
    add(problems, "web.away", "error", "The web process does not answer: nobody can sign in or pick up mail.",
        "Look whether postern-webadmin runs, and into its log.");
}

}  // namespace

void addOperationProblems(json& problems, const config::SiteConfig& config, SiteTables& tables,
                          const std::optional<app::GatewayStats>& stats, TimePoint now) {
  addQueue(problems, stats, now);
  addPauses(problems, tables);
  addPolicies(problems, tables, now);
  addTlsReports(problems, tables, now);
  addReportKey(problems, tables, config.tlsReportContact);
  addWebhooks(problems, tables, now);
  addSettings(problems);
  addWeb(problems);
}

void worstFirst(json& problems) {
  std::vector<json> all(problems.begin(), problems.end());
  std::stable_partition(all.begin(), all.end(), [](const json& one) { return one.value("severity", "") == "error"; });
  problems = json(std::move(all));
}

}  // namespace postern::listd
