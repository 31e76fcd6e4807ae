#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> keysVerbs();  // keys status|rotate, job list|show|cancel

// What is more than one order.
Exit backupKeys(const Context& context, const std::string& path);
Exit verifyKeys(const Context& context, const std::string& path);
Exit restoreKeys(const Context& context, const std::string& path, bool replace);
// Shows how a job goes until it has ended: a bar on a terminal, else a line at its end. Ok when it is done, No when it
// failed or was cancelled. For any verb that starts long work.
Exit waitForJob(const Context& context, std::uint64_t id);

}  // namespace postern::cli
