#pragma once
#include "core/app/GatewayLink.h"
#include "listd/policy/PolicyStore.h"
#include "listd/site/SiteContext.h"

#include <optional>

namespace postern::listd {

// A message of the vault as the gateway took it over, as far as that is kept: from whom and for whom it came, over what
// TLS, whether its author was proven. The name in HELO is not kept. Nothing when its content was destroyed.
std::optional<app::Submission> submissionOf(SiteContext& context, const PolicyStore::StoredPost& post);

}  // namespace postern::listd
