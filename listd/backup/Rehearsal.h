#pragma once
#include "core/base/Clock.h"
#include "core/config/SiteConfig.h"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace postern::listd {

// Opens a site that was put back from a backup, without a port and without sending anything: the register's tombstones
// and holds come into force first, as at every start; then stored messages are opened and compared with the digests
// that were noted when they came. `wish`: {"samples": N; 0: all} and, for a site that is to go on,
// {"declare": {reason, requester, approver, checkpoints: notes that were kept elsewhere}}, which is written into its
// audit log. Result: {objects, opened, unreadable: [ids], withoutKey, changed: [ids], tombstones, holdsBack,
// audit{size, root}}. Errors: as SiteContext.
nlohmann::json rehearse(const config::SiteConfig& config, const Clock& clock, const nlohmann::json& wish);

}  // namespace postern::listd
