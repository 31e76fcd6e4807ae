#include "cli/Context.h"

#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/config/SiteConfig.h"

#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

namespace postern::cli {
namespace {

constexpr std::chrono::milliseconds RosterLimit = std::chrono::minutes(10);

}  // namespace

std::string unixUser() {
  const auto* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

nlohmann::json Context::give(std::string_view order, const nlohmann::json& args) const {
  const auto site = config::loadSiteConfig(dataFolder);
  // A file with a whole roster is no question that is answered at once.
  const bool roster = args.contains("csv") || order == "source.run";
  app::OrderClient client(site.commandSocket(), roster ? RosterLimit : app::OrderClient::DefaultLimit);
  if (!token.empty()) return client.give(order, {"api", "", token}, args);
  return client.give(order, {"cli", unixUser(), files::read(site.commandKey())}, args);
}

}  // namespace postern::cli
