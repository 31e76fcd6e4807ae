#pragma once
#include "core/mail/MimeTree.h"

#include <string_view>
#include <vector>

namespace postern::mail {

// Our own walk over the boundaries of a message, before gmime: finds what makes it ambiguous and how deep and wide it
// is. Iterative; linear in the message times its depth. Each ambiguity is given once.
std::vector<Ambiguity> scanMime(const Message& message, const MimeLimits& limits);

}  // namespace postern::mail
