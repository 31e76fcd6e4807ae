#pragma once
#include "cli/Context.h"

#include <string>
#include <vector>

namespace postern::cli {

struct InitOptions {
  std::string hostName = "localhost.localdomain";
  std::vector<std::string> listen;
  std::vector<std::string> listenTls;
  std::string web;
  std::string rootKeySource = "file";
};

// `postern init`: makes the data folder with postern.toml, a self-signed TLS certificate, the root key and the shipped
// policies. Refuses to touch a folder that holds a site: a second root key would make the first one's content
// unreadable. The stores are made by listd and the gateway when they first start.
// In the data folder that the Debian package made (its postern.toml is a link into /etc), the folders keep their
// owners, the addresses are the standard ports, and the services are started if the machine runs systemd; elsewhere
// addresses that are not given are on loopback.
Exit initSite(const Context& context, const InitOptions& options);

}  // namespace postern::cli
