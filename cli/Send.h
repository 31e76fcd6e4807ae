#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

struct SendOptions {
  std::string file;
  std::string from;             // empty: the From field
  std::vector<std::string> to;  // empty: To and Cc
};

// `postern send FILE`: hands a message to the site's own SMTP port in one transaction, with TLS when it is offered, and
// shows the reply. Exit No when the site refuses it.
Exit sendMessage(const Context& context, const SendOptions& options);

}  // namespace postern::cli
