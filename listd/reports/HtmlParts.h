#pragma once
#include <string>
#include <string_view>
#include <vector>

// Pages of reports for people and printers, made of embedded files (listd/reports/*.html) with {{names}} and
// <!--part-->…<!--/part-->. They are files by themselves and ask for nothing from elsewhere.
namespace postern::listd {

std::string reportFile(std::string_view name);  // "reports/control-map.html"
std::string escapedHtml(std::string_view text);

// Takes the part of the page between <!--name--> and <!--/name--> out of it; {{name}} stays in its place.
std::string takePart(std::string& page, const std::string& name);

struct Filling {
  std::string_view name;
  std::string html;
};
// The part with what stands for each {{name}}; nothing for a name that is not among the fillings.
std::string filled(const std::string& part, const std::vector<Filling>& fillings);

}  // namespace postern::listd
