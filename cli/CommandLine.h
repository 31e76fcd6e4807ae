#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

// Parses the arguments of `postern`, runs the command and returns what to tell the shell. The boundary of the command
// line: every exception ends here as one clear line on standard error.
// With --json it prints one document in JSON, also for what went wrong, wrong usage included.
Exit runCommandLine(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

// Every verb with its noun, as in "list create" or "status".
std::vector<std::string> allVerbs();

}  // namespace postern::cli
