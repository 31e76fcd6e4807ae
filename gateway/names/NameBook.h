#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/config/SiteConfig.h"
#include "core/net/TlsServerContext.h"
#include "gateway/smtp/Ports.h"

#include <filesystem>
#include <map>
#include <thread>

namespace postern::gateway {

// The other names of this server ([[gateway.alias]]) and who still comes by them: counted by name, network of the
// client
// (/24, /64) and day, in memory within limits, written down each minute and at the end, so that a kill costs a minute.
// Threads: safe for all. Errors: the constructor throws Error(Io); a file that cannot be read or written costs the
// counts only.
class NameBook : public ServerNames {
public:
  struct Limits {
    std::size_t networks = 1000;  // of one name; what comes beyond is counted as "others"
    std::chrono::days keptFor{400};
    std::chrono::seconds writtenEach{60};
  };
  NameBook(const config::SiteConfig& config, const Clock& clock, Limits limits);
  NameBook(const config::SiteConfig& config, const Clock& clock) : NameBook(config, clock, Limits{}) {}
  ~NameBook() override;

  // In place of the names before; what was counted stays, also of a name that is taken away and comes back.
  void set(const config::SiteConfig& config);
  static std::vector<net::TlsServerContext::Named> certificatesOf(const config::SiteConfig& config);

  std::optional<ServerName> byName(std::string_view name) const override;
  std::optional<ServerName> byAddress(std::string_view address) const override;
  void used(const std::string& name, std::string_view client, Use use) override;

  // All names, in the order of the settings. `unusable`: certificates that could not be loaded.
  std::vector<app::ServerNameUse> uses(const std::vector<std::pair<std::string, std::string>>& unusable) const;
  void flush();

private:
  struct Counted {
    TimePoint lastUse;
    std::map<std::string, app::ServerNameUse::Network> networks;
    std::map<std::string, app::ServerNameUse::Day> days;
  };
  ServerName describe(const config::SiteConfig::Alias& alias) const;
  void load();

  const Clock& clock_;
  const Limits limits_;
  const std::filesystem::path file_;
  mutable Mutex mutex_;
  std::vector<config::SiteConfig::Alias> aliases_ GUARDED_BY(mutex_);  // with whole paths
  std::map<std::string, Counted> counted_ GUARDED_BY(mutex_);
  bool changed_ GUARDED_BY(mutex_) = false;
  std::jthread writer_;
};

// For `postern status`: certificates that end or cannot be used, and retired names that are still in use.
std::vector<app::Finding> findingsOf(const std::vector<app::ServerNameUse>& names, TimePoint now);

}  // namespace postern::gateway
