#pragma once
#include "cli/Context.h"

#include <map>
#include <string>
#include <string_view>

namespace postern::cli {

// Takes out of texts what a helper outside must not see: local parts of addresses, and whatever looks like a key, a
// token or a password. The same address gets the same stand-in, so that what belongs together stays visible; no two
// bundles share them. Threads: one at a time.
class Redactor {
public:
  Redactor();
  std::string operator()(std::string_view text);

private:
  std::string standIn(std::string_view localPart);
  std::string key_;
};

struct SupportOptions {
  std::string file;        // .tar.gz, made anew
  std::uint32_t days = 3;  // of the journal
};

// `postern support-bundle FILE`: what somebody outside needs to help, without mail, keys, addresses or subjects. Lists
// what is in it. Works as far as it goes while the site is stopped.
Exit makeSupportBundle(const Context& context, const SupportOptions& options);

}  // namespace postern::cli
