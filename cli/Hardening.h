#pragma once
#include "cli/Context.h"

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace postern::cli {

// One thing that was looked at on this machine.
struct HardeningFinding {
  enum class State { Good, Warning, Bad } state = State::Good;
  std::string what;  // a sentence
  std::string todo;  // empty when it is good
};

// Looks at settings, files and kernel of this machine; `system` is its root folder (for tests). Works without the site
// running. Errors: Error(Config) for a broken postern.toml.
std::vector<HardeningFinding> lookAtHardening(const std::filesystem::path& dataFolder,
                                              const std::filesystem::path& system = "/");

// `postern hardening`: Exit::No when something is bad.
Exit showHardening(const Context& context);

// `postern config drift`: settings that are not the defaults, and policies that are not the shipped ones.
nlohmann::json configDrift(const std::filesystem::path& dataFolder);
Exit showDrift(const Context& context);

}  // namespace postern::cli
