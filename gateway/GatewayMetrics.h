#pragma once
#include "core/app/GatewayLink.h"
#include "core/config/SiteConfig.h"

namespace postern::gateway {

// The gateway's numbers for Prometheus, with the state of its settings: {families, config}.
std::string metricsPage(const app::GatewayStats& stats, const config::SiteConfig& config,
                        const std::vector<app::ServerNameUse>& names, TimePoint now);

}  // namespace postern::gateway
