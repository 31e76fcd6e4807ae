#include "cli/Context.h"

#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"

#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace postern::cli {

std::string unixUser() {
  const auto* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

nlohmann::json Context::give(std::string_view order, const nlohmann::json& args) const {
  const auto site = config::loadSiteConfig(dataFolder);
  app::OrderClient client(site.commandSocket());
  if (!token.empty()) return client.give(order, {"api", "", token}, args);
  return client.give(order, {"cli", unixUser(), files::read(site.commandKey())}, args);
}

}  // namespace postern::cli
