#pragma once
#include "core/mailauth/Dkim.h"

namespace postern::mailauth {

// As verifyDkim(); the signatures of this domain, or of one above or below it, are verified before the others, so that
// a stranger's slow DNS does not use up the time of those that speak for the author. The results keep the header's
// order.
std::vector<DkimResult> verifyDkimNear(Dns& dns, const mail::HeaderBlock& header, std::string_view body, long long now,
                                       std::string_view domain, const DkimLimits& limits = {});

}  // namespace postern::mailauth
