#include "listd/reports/Controls.h"

#include "listd/reports/HtmlParts.h"

namespace postern::listd {

using nlohmann::json;

namespace {

std::string wordsOfList(const json& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return escapedHtml(text);
}

std::string field(const json& object, const char* name) {
  return escapedHtml(object.at(name).get<std::string>());
}

const char* shownWord(const json& object) {
  return object.at("shown").get<bool>() ? "shown" : "not shown";
}

std::string controlRow(const std::string& row, const std::string& check, const json& control) {
  std::string checks;
  for (const auto& one : control.at("checks"))
    checks += filled(check, {{"setting", field(one, "setting")},
                             {"value", field(one, "value")},
                             {"shown", shownWord(one)},
                             {"proof", field(one, "proof")}});
  return filled(row, {{"id", field(control, "id")},
                      {"title", field(control, "title")},
                      {"kind", field(control, "kind")},
                      {"text", field(control, "text")},
                      {"checks", checks},
                      {"class", control.at("shown").get<bool>() ? "yes" : "no"},
                      {"shown", shownWord(control)},
                      {"reports", wordsOfList(control.at("reports"))},
                      {"tests", wordsOfList(control.at("tests"))},
                      {"organisation", field(control, "organisation")}});
}

}  // namespace

const json& controls() {
  static const json table = json::parse(reportFile("reports/controls.json"));
  return table;
}

json controlMap(const ReportAsk& ask) {
  auto map = controls();
  std::uint64_t shown = 0;
  for (auto& control : map) {
    bool all = !control.at("checks").empty();
    for (auto& check : control.at("checks")) {
      const auto result = runCheck(check.at("check").get<std::string>(), ask);
      check["value"] = result.value;
      check["proof"] = result.proof;
      check["shown"] = result.shown;
      all = all && result.shown;
    }
    control["shown"] = all;
    shown += all ? 1 : 0;
  }
  const auto total = map.size();
  return {{"form", "postern-control-map-v1"},
          {"site", ask.tools.context.config.hostName},
          {"tool", "postern-listd " POSTERN_VERSION},
          {"madeAt", toMicros(ask.tools.now())},
          {"madeBy", ask.call.actor.name},
          {"shown", shown},
          {"total", total},
          {"controls", std::move(map)}};
}

std::string controlPage(const json& map) {
  std::string page(reportFile("reports/control-map.html"));
  const auto row = takePart(page, "control");
  const auto check = takePart(page, "check");
  std::string rows;
  for (const auto& control : map.at("controls")) rows += controlRow(row, check, control);
  return filled(page, {{"site", field(map, "site")},
                       {"tool", field(map, "tool")},
                       {"madeBy", field(map, "madeBy")},
                       {"madeAt", timeCell(map.at("madeAt"))},
                       {"shown", map.at("shown").dump()},
                       {"total", map.at("total").dump()},
                       {"control", rows}});
}

}  // namespace postern::listd
