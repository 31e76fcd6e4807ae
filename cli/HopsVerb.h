#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

struct HopsOptions {
  std::string file;                     // "-": standard input
  std::vector<std::string> ownDomains;  // one provider in the reader's eyes
};

// `postern hops`: was each hop of a message encrypted? Needs no site. Exit No unless every hop between providers is
// recorded as encrypted.
Exit showHops(const Context& context, const HopsOptions& options);

}  // namespace postern::cli
