#pragma once
#include "cli/Context.h"

#include <string>

namespace postern::cli {

// `postern mail check`: what the gateway would find out about the sender of a message in a file. Needs the DNS of the
// site, but no running site.
struct MailCheckOptions {
  std::string file;      // - for standard input
  std::string address;   // of the client
  std::string mailFrom;  // empty: the null sender
  std::string helo;
};
Exit checkMail(const Context& context, const MailCheckOptions& options);

}  // namespace postern::cli
