#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

struct SendOptions {
  std::string file;
  std::string from;             // empty: the From field
  std::vector<std::string> to;  // empty: To and Cc
  bool secure = false;          // protected for each recipient, as the page "Send secure" does; without SMTP
  std::string account = {};     // whose message it is; empty: of the token's account
  std::string key = {};         // of this sending: the same key sends once; empty: a fresh one
};

// `postern send FILE`: hands a message to the site's own SMTP port in one transaction, with TLS when it is offered, and
// shows the reply. Exit No when the site refuses it. With --secure it is the order mail.send.
Exit sendMessage(const Context& context, const SendOptions& options);

}  // namespace postern::cli
