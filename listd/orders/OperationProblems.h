#pragma once
#include "core/app/GatewayLink.h"
#include "listd/site/SiteContext.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>

namespace postern::listd {

// Problems of running the site: old mail in the queue, failing policies, TLS failures that others report, reports
// that leave unsigned, webhooks that fail, settings that were refused, a webadmin that is away. Each {rule severity
// what do}; docs/status.md has all rules.
void addOperationProblems(nlohmann::json& problems, const config::SiteConfig& config, SiteTables& tables,
                          const std::optional<app::GatewayStats>& stats, TimePoint now);

// Errors before warnings, else in the order in which they were found.
void worstFirst(nlohmann::json& problems);

}  // namespace postern::listd
