#include "listd/reports/Controls.h"

#include "core/base/Error.h"
#include "listd/ReportFiles.h"

namespace postern::listd {

using nlohmann::json;

namespace {

std::string_view embedded(std::string_view name) {
  const auto* file = reportFiles::find(name);
  if (file == nullptr) throw Error(ErrorKind::Invariant, "this binary lacks " + std::string(name));
  return file->content;
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  return safe;
}

// Takes the part of the page between <!--name--> and <!--/name--> out of it.
std::string takePart(std::string& page, const std::string& name) {
  const auto begin = "<!--" + name + "-->", end = "<!--/" + name + "-->";
  const auto from = page.find(begin), until = page.find(end);
  if (from == std::string::npos || until == std::string::npos)
    throw Error(ErrorKind::Invariant, "the page of controls has no part " + name);
  auto part = page.substr(from + begin.size(), until - from - begin.size());
  page.replace(from, until + end.size() - from, "{{" + name + "}}");
  return part;
}

struct Filling {
  std::string_view name;
  std::string html;
};

std::string filled(const std::string& part, const std::vector<Filling>& fillings) {
  std::string page;
  std::size_t at = 0;
  for (auto open = part.find("{{"); open != std::string::npos; open = part.find("{{", at)) {
    const auto close = part.find("}}", open);
    if (close == std::string::npos) break;
    page.append(part, at, open - at);
    const auto name = std::string_view(part).substr(open + 2, close - open - 2);
    for (const auto& filling : fillings)
      if (filling.name == name) page += filling.html;
    at = close + 2;
  }
  return page.append(part, at);
}

std::string wordsOfList(const json& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return escaped(text);
}

std::string field(const json& object, const char* name) {
  return escaped(object.at(name).get<std::string>());
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
  static const json table = json::parse(embedded("reports/controls.json"));
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
  std::string page(embedded("reports/control-map.html"));
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
