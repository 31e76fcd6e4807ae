#pragma once
#include "cli/Context.h"

namespace postern::cli {

// `postern reload`: has the running processes read postern.toml again. Looks at it first: what is wrong is said with
// line and column, and nothing is asked then. Throws Error(Config) for that, and when nothing runs.
Exit reloadSite(const Context& context);

}  // namespace postern::cli
