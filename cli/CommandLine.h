#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

// Parses the arguments of `postern`, runs the command and returns what to tell the shell. The boundary of the command
// line: every exception ends here as one clear line on standard error.
Exit runCommandLine(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace postern::cli
