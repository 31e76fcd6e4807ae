#pragma once
#include "cli/Context.h"
#include "cli/OrderVerbs.h"

#include <string>
#include <vector>

namespace postern::cli {

std::vector<OrderVerb> probeVerbs();  // domain trust, distrust, unmark, marks

// Has the mail servers of a domain asked for their TLS and shows what came of it; on a terminal with its progress.
// Exit::No: mail to the domain cannot be sent over verified TLS.
Exit probe(const Context& context, const std::string& domain);

}  // namespace postern::cli
