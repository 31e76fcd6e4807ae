#include "cli/PolicyVerbs.h"

#include "core/config/SiteConfig.h"
#include "core/policy/PolicySet.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

struct Target {
  std::filesystem::path folder;
  policy::CallLimits limits;
};

Target targetOf(const Context& context, const std::string& folder) {
  if (!folder.empty()) return {folder, {}};
  const auto site = config::loadSiteConfig(context.dataFolder);
  policy::CallLimits limits;
  limits.timeout = site.policyTimeout;
  return {site.path(site.policyFolder), limits};
}

json asJson(const std::vector<policy::Problem>& problems) {
  auto items = json::array();
  for (const auto& problem : problems)
    items.push_back({{"file", problem.file}, {"line", problem.line}, {"text", problem.text}});
  return items;
}

json asJson(const policy::CheckReport& report) {
  auto policies = json::array();
  for (const auto& info : report.policies)
    policies.push_back({{"name", info.name}, {"doc", info.doc}, {"hooks", info.hooks}, {"cases", info.cases}});
  return {{"ok", report.ok},
          {"policies", policies},
          {"problems", asJson(report.problems)},
          {"warnings", asJson(report.warnings)}};
}

void print(std::ostream& out, const char* word, const std::vector<policy::Problem>& problems) {
  for (const auto& problem : problems) {
    out << problem.file;
    if (problem.line > 0) out << ":" << problem.line;
    out << ": " << word << problem.text << "\n";
  }
}

void print(std::ostream& out, const policy::CheckReport& report) {
  print(out, "", report.problems);
  print(out, "warning: ", report.warnings);
  if (report.ok)
    out << report.policies.size() << (report.policies.size() == 1 ? " policy loads.\n" : " policies load.\n");
}

}  // namespace

Exit checkPolicies(const Context& context, const std::string& folder) {
  const auto target = targetOf(context, folder);
  const auto report = policy::checkSet(target.folder, policy::defaultWorkerProgram(), target.limits);
  if (context.json)
    context.out << asJson(report).dump(2) << "\n";
  else
    print(context.out, report);
  return report.ok ? Exit::Ok : Exit::No;
}

Exit testPolicies(const Context& context, const std::string& folder) {
  const auto target = targetOf(context, folder);
  const auto report = policy::testSet(target.folder, policy::defaultWorkerProgram(), target.limits);
  std::size_t failed = 0;
  auto cases = json::array();
  for (const auto& result : report.cases) {
    failed += result.ok ? 0 : 1;
    cases.push_back({{"policy", result.policy}, {"title", result.title}, {"ok", result.ok}, {"text", result.text}});
  }
  if (context.json) {
    context.out << json{{"ok", report.ok}, {"check", asJson(report.check)}, {"cases", cases}}.dump(2) << "\n";
    return report.ok ? Exit::Ok : Exit::No;
  }
  if (!report.check.ok) print(context.out, report.check);
  for (const auto& result : report.cases) {
    context.out << (result.ok ? "ok    " : "FAILS ") << result.policy << ": " << result.title << "\n";
    if (!result.ok) context.out << "      " << result.text << "\n";
  }
  context.out << report.cases.size() - failed << " cases passed, " << failed << " failed\n";
  return report.ok ? Exit::Ok : Exit::No;
}

}  // namespace postern::cli
