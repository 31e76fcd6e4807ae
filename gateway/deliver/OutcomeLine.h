#pragma once
#include "core/app/GatewayLink.h"

namespace postern::gateway {

// One line of log for the outcome of an attempt, and its place in the metrics. Threads: safe for all.
void tellOutcome(const app::DeliveryEvent& event);

}  // namespace postern::gateway
