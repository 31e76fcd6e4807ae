#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

struct InitOptions {
  std::string hostName = "localhost.localdomain";
  std::vector<std::string> listen;
  std::vector<std::string> listenTls;
  std::string web = "127.0.0.1:8443";
  std::string rootKeySource = "file";
};

// `postern init`: makes the data folder with postern.toml, a self-signed TLS certificate, the root key and the shipped
// policies. Refuses to touch a folder that holds a site: a second root key would make the first one's content
// unreadable. The stores are made by listd and the gateway when they first start.
Exit initSite(const Context& context, const InitOptions& options);

}  // namespace postern::cli
