#pragma once
#include "core/hops/Journey.h"

#include <nlohmann/json_fwd.hpp>

namespace postern::hops {

// The journey for machines: "verdict", "sentence", and "hops" in the order of travel with "from", "fromAddress", "by",
// "state", "inside", "protocol", "software", "version", "cipher", "bits", "verification", "why" and "at"
// (microseconds).
nlohmann::json toJson(const Journey& journey);

}  // namespace postern::hops
