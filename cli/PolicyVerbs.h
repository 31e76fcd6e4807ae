#pragma once
#include "cli/MachineVerbs.h"
#include "cli/OrderVerbs.h"

#include <string>
#include <vector>

namespace postern::cli {

// `postern policy check` and `test`. An empty folder means that of the site.
Exit checkPolicies(const Context& context, const std::string& folder);
Exit testPolicies(const Context& context, const std::string& folder);

// `postern policy history`, `show`, `diff`, `activate`, `rollback`, `set-…`.
std::vector<OrderVerb> policyVerbs();

// `postern policy explain`, `reload`, `store`, `shadow …`, `replay`: those that read a folder or a message first.
void addPolicyVerbs(CLI::App& policy, const Choose& choose);

// Where these read from, and what else they were told.
struct PolicyTrial {
  std::string file;  // of a message
  std::string post;  // instead of a file: a stored one
  std::string folder;
  std::uint64_t revision = 0;  // 0: the one in force, or the folder
  std::string clientAddress;
  std::string clientName;
  std::string helo;
  std::string mailFrom;
  std::vector<std::string> recipients;
  bool tls = false;
  std::string reason;
  std::uint64_t hours = 24;
  std::uint64_t days = 30;
  bool noWait = false;
};
Exit explainPolicies(const Context& context, const PolicyTrial& trial);
Exit reloadPolicies(const Context& context, const PolicyTrial& trial);
Exit storePolicies(const Context& context, const PolicyTrial& trial);
Exit startShadow(const Context& context, const PolicyTrial& trial);
Exit stopShadow(const Context& context);
Exit reportShadow(const Context& context);
Exit replayPolicies(const Context& context, const PolicyTrial& trial);

}  // namespace postern::cli
