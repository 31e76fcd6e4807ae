#include "gateway/policy/PolicyViews.h"

#include "core/mail/Text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace postern::gateway {

using nlohmann::json;

namespace {

json problemsOf(const std::vector<policy::Problem>& problems) {
  auto items = json::array();
  for (const auto& problem : problems)
    items.push_back(
        {{"file", mail::repairUtf8(problem.file)}, {"line", problem.line}, {"text", mail::repairUtf8(problem.text)}});
  return items;
}

json setsOf(const std::vector<policy::DeclaredSet>& sets) {
  auto items = json::array();
  for (const auto& set : sets)
    items.push_back({{"name", mail::repairUtf8(set.name)}, {"doc", mail::repairUtf8(set.doc)}});
  return items;
}

json coveredBy(const policy::TestReport& report) {
  json files = json::object();
  for (const auto& file : report.covered()) files[mail::repairUtf8(file.file)] = file.lines;
  return files;
}

json notesOf(const std::vector<policy::Note>& notes) {
  auto items = json::array();
  for (const auto& note : notes) items.push_back({{"key", note.key}, {"value", note.value}});
  return items;
}

}  // namespace

json viewOf(const policy::Verdict& verdict) {
  return {{"verdict", policy::wordFor(verdict.kind)},
          {"policy", verdict.policy},
          {"reason", verdict.reason},
          {"code", verdict.code},
          {"enh", verdict.enhanced},
          {"text", verdict.text},
          {"redirectTo", verdict.redirectTo},
          {"queue", verdict.queue}};
}

json viewOf(const policy::Failure& failure) {
  return {{"kind", policy::wordFor(failure.kind)},
          {"policy", mail::repairUtf8(failure.policy)},
          {"detail", mail::repairUtf8(failure.detail)}};
}

json viewOf(const policy::TestReport& report, const std::string& digest) {
  auto policies = json::array();
  for (const auto& info : report.check.policies)
    policies.push_back({{"name", mail::repairUtf8(info.name)},
                        {"doc", mail::repairUtf8(info.doc)},
                        {"hooks", info.hooks},
                        {"sets", setsOf(info.sets)},
                        {"asleep", info.asleep},
                        {"cases", info.cases.size()}});
  auto cases = json::array();
  for (const auto& result : report.cases)
    cases.push_back({{"policy", mail::repairUtf8(result.policy)},
                     {"title", mail::repairUtf8(result.title)},
                     {"ok", result.ok},
                     {"text", mail::repairUtf8(result.text)}});
  return {{"ok", report.ok},
          {"digest", digest},
          {"policies", std::move(policies)},
          {"problems", problemsOf(report.check.problems)},
          {"warnings", problemsOf(report.check.warnings)},
          {"cases", std::move(cases)},
          {"covered", coveredBy(report)}};
}

json viewOf(const char* hook, const std::vector<std::string>& recipients, const policy::Explanation& explanation) {
  json view{{"hook", hook}, {"recipients", recipients}, {"outcome", json::array()}, {"failure", nullptr}};
  if (explanation.outcome)
    for (const auto& verdict : explanation.outcome->recipients) view["outcome"].push_back(viewOf(verdict));
  else
    view["failure"] = viewOf(explanation.outcome.error());
  view["steps"] = json::array();
  for (const auto& step : explanation.steps) {
    json shown{{"policy", step.policy}, {"micros", step.micros}, {"notes", notesOf(step.notes)}};
    shown["verdicts"] = json::array();
    for (const auto& verdict : step.verdicts) shown["verdicts"].push_back(verdict ? viewOf(*verdict) : json());
    view["steps"].push_back(std::move(shown));
  }
  return view;
}

Result<policy::SetTexts, std::vector<policy::Problem>> readFiles(const json& request) {
  std::vector<policy::SetFile> files;
  const auto found = request.find("files");
  if (found != request.end() && found->is_object())
    for (const auto& [path, text] : found->items())
      if (text.is_string()) files.push_back({path, text.get<std::string>()});
  return policy::assembleSet(files);
}

json viewOf(const policy::SetTexts& texts) {
  json files = json::object();
  for (const auto& file : policy::filesOf(texts)) files[file.path] = file.text;
  return {{"digest", texts.digest}, {"files", std::move(files)}};
}

std::string inWords(const policy::Verdict& verdict, const policy::SetTexts& texts) {
  auto words = policy::wordFor(verdict.kind);
  const bool stands = std::any_of(texts.files.begin(), texts.files.end(), [&](const policy::SetFile& file) {
    return file.text.find(verdict.reason) != std::string::npos;
  });
  if (!verdict.reason.empty()) words += stands ? " " + verdict.reason : std::string();
  if (!verdict.policy.empty()) words += " (" + verdict.policy + ")";
  return words;
}

}  // namespace postern::gateway
