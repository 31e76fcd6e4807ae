#pragma once
#include "listd/site/SiteContext.h"

namespace postern::listd {

// Destroys the keys of pick-up items that expired, were recalled or given up, and contents that nobody can open any
// more. A hold on the record pins them: who was kept out stays out, but nothing is destroyed before the hold is over.
// Only copies for recipients are destroyed here, never a record, which is what the destruction gate is for.
// Durable on return; may be repeated after a crash. How many keys were destroyed. Errors: Error(Store).
std::size_t destroyEndedPickups(SiteContext& context);

}  // namespace postern::listd
