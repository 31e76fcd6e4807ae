#include "cli/PolicyVerbs.h"

#include "cli/Render.h"
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
    policies.push_back({{"name", info.name},
                        {"doc", info.doc},
                        {"hooks", info.hooks},
                        {"asleep", info.asleep},
                        {"cases", info.cases}});
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

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

const Parameter Revision{
    Kind::Positional, "revision", "revision", "number of the set; default: the one in force", false, Type::Number};
const Parameter Reason{Kind::Option, "--reason", "reason", "why, for the history and the audit log", true};
const Parameter Why{Kind::Option, "--reason", "reason", "why, for the audit log"};
const Parameter SetName{Kind::Positional, "set", "set", "name of the set, as policies name it", true};

void renderHistory(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"SET", "revision"},
               {"STATE", "state"},
               {"IN FORCE", "inForceAt"},
               {"BY", "inForceBy"},
               {"REASON", "reason"},
               {"STORED", "madeAt"},
               {"NOTE", "note"}},
              "No policy set is stored yet; the first is taken over from the folder when the gateway runs.");
}

void renderFiles(std::ostream& out, const json& result) {
  if (!result.contains("files") || !result["files"].is_object()) return renderRecord(out, result);
  for (const auto& [path, text] : result["files"].items())
    out << "==> " << path << "\n" << text.get<std::string>() << "\n";
}

void renderDiff(std::ostream& out, const json& result) {
  if (!result.contains("files")) return;
  if (result["files"].empty()) out << "no difference\n";
  for (const auto& file : result["files"]) {
    out << file.value("change", "") << " " << file.value("path", "") << "\n";
    for (const auto& line : file.at("lines")) out << line.value("mark", "") << " " << line.value("text", "") << "\n";
  }
}

void renderInForce(std::ostream& out, const json& result) {
  out << "policy set " << result.value("revision", json("-")) << " is in force"
      << (result.value("atGateway", false) ? "" : " when the gateway is back") << "\n";
}

void renderSetChange(std::ostream& out, const json& result) {
  out << "added " << result.value("added", 0) << ", removed " << result.value("removed", 0) << ", now "
      << result.value("entries", 0) << "\n";
}

std::vector<OrderVerb> setVerbs() {
  return {
      {"policy",
       "set-list",
       "policy.sets",
       "Lists the sets that policies ask.",
       {},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"), {{"SET", "set"}, {"ENTRIES", "entries"}, {"CHANGED", "changedAt"}},
                     "There are no sets. postern policy set-add makes one.");
       }},
      {"policy",
       "set-show",
       "policy.set-show",
       "Shows the entries of a set.",
       {SetName,
        {Kind::Option, "--limit", "limit", "how many; default 1000", false, Type::Number},
        {Kind::Option, "--after", "after", "go on behind this entry"}},
       [](std::ostream& out, const json& result) {
         for (const auto& value : result.at("items")) out << value.get<std::string>() << "\n";
       }},
      {"policy",
       "set-add",
       "policy.set-add",
       "Puts an entry into a set; in force at once.",
       {SetName, {Kind::Positional, "value", "value", "the entry", true}, Why},
       renderSetChange},
      {"policy",
       "set-remove",
       "policy.set-remove",
       "Takes an entry out of a set.",
       {SetName, {Kind::Positional, "value", "value", "the entry", true}, Why},
       renderSetChange},
      {"policy",
       "set-import",
       "policy.set-import",
       "Puts the lines of a file into a set.",
       {SetName,
        {Kind::FileContent, "file", "text", "one entry a line, # begins a comment; - for standard input", true},
        {Kind::Flag, "--replace", "replace", "take out what is not in the file"},
        Why},
       renderSetChange},
  };
}

}  // namespace

std::vector<OrderVerb> policyVerbs() {
  std::vector<OrderVerb> verbs = {
      {"policy",
       "history",
       "policy.history",
       "Lists the policy sets that are and were in force, and candidates.",
       {{Kind::Option, "--limit", "limit", "how many; default 50", false, Type::Number},
        {Kind::Option, "--before", "before", "older than this one", false, Type::Number}},
       renderHistory},
      {"policy", "show", "policy.show", "Shows the files of a policy set.", {Revision}, renderFiles},
      {"policy",
       "diff",
       "policy.diff",
       "Shows what a policy set changes against the one before it, or against another.",
       {Revision, {Kind::Option, "--against", "against", "number of the other set", false, Type::Number}},
       renderDiff},
      {"policy",
       "activate",
       "policy.activate",
       "Puts a stored policy set in force, if all its cases pass.",
       {{Kind::Positional, "revision", "revision", "number of the set", true, Type::Number}, Reason},
       renderInForce},
      {"policy",
       "rollback",
       "policy.rollback",
       "Goes back to the policy set that was in force before, or to a named one.",
       {{Kind::Positional, "revision", "revision", "number of the set; default: the one before", false, Type::Number},
        Reason},
       renderInForce},
  };
  for (auto& verb : setVerbs()) verbs.push_back(std::move(verb));
  return verbs;
}

}  // namespace postern::cli
