#include "listd/reports/HtmlParts.h"

#include "core/base/Error.h"
#include "listd/ReportFiles.h"

namespace postern::listd {

std::string reportFile(std::string_view name) {
  const auto* file = reportFiles::find(name);
  if (file == nullptr) throw Error(ErrorKind::Invariant, "this binary lacks " + std::string(name));
  return std::string(file->content);
}

std::string escapedHtml(std::string_view text) {
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

std::string takePart(std::string& page, const std::string& name) {
  const auto begin = "<!--" + name + "-->", end = "<!--/" + name + "-->";
  const auto from = page.find(begin), until = page.find(end);
  if (from == std::string::npos || until == std::string::npos)
    throw Error(ErrorKind::Invariant, "a page of a report has no part " + name);
  auto part = page.substr(from + begin.size(), until - from - begin.size());
  page.replace(from, until + end.size() - from, "{{" + name + "}}");
  return part;
}

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

}  // namespace postern::listd
