#pragma once
#include "core/config/SiteConfig.h"

#include <string>
#include <variant>
#include <vector>

namespace postern::config {

// A whole number and the values it may have; durations in the unit that `doc` names.
template <class T>
struct Range {
  T SiteConfig::*member;
  std::int64_t least;
  std::int64_t most;
};

// One setting of postern.toml: the single place that names it, bounds it and explains it. The reader, the written
// default file and `postern config show` all come from this list.
// `reloads`: taken over by a reload; the others count from the next start.
struct Setting {
  const char* section;
  const char* key;
  const char* doc;
  std::variant<std::string SiteConfig::*, std::filesystem::path SiteConfig::*, HostPort SiteConfig::*,
               std::vector<HostPort> SiteConfig::*, Range<std::uint32_t>, Range<std::uint64_t>,
               Range<std::chrono::seconds>, Range<std::chrono::milliseconds>>
      target;
  bool reloads = false;
};

const std::vector<Setting>& allSettings();

}  // namespace postern::config
