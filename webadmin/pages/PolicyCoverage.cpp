#include "webadmin/pages/PolicyPages.h"
#include "webadmin/Views.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// Lines that no machine runs by themselves: comments, what only closes, and heads of functions, which count as run
// where they end.
bool isCode(std::string_view line) {
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return false;
  line.remove_prefix(first);
  if (line.starts_with("--") || line.find("function") != std::string_view::npos) return false;
  const auto isPunctuation = [](char c) { return std::string_view("{}(),; \t").find(c) != std::string_view::npos; };
  for (const std::string_view word : {"end", "else", "do", "then", "repeat"})
    if (line.starts_with(word) &&
        std::all_of(line.begin() + static_cast<std::ptrdiff_t>(word.size()), line.end(), isPunctuation))
      return false;
  return !std::all_of(line.begin(), line.end(), isPunctuation);
}

// Which lines of a file are none that could run, asked from the first to the last. Cases are what covers, not what is
// covered; they stand in `cases = {…}`, or in a function of that name, and end where something closes at the same
// depth. Texts over several lines are no code.
class Lines {
public:
  bool holdsNoCode(std::string_view line) {
    if (inText_) {
      inText_ = line.find("]]") == std::string_view::npos;
      return true;
    }
    const auto depth = line.find_first_not_of(" \t");
    const auto text = depth == std::string_view::npos ? std::string_view() : line.substr(depth);
    if (inCases_) {
      inCases_ = depth != casesAt_ || !(text.starts_with("}") || text.starts_with("end"));
      return true;
    }
    inText_ = opens(line);
    if (!isCases(text)) return false;
    casesAt_ = depth;
    const bool isFunction = text.find("function") != std::string_view::npos;
    inCases_ = isFunction || std::count(text.begin(), text.end(), '{') > std::count(text.begin(), text.end(), '}');
    return true;
  }

private:
  static bool opens(std::string_view line) {
    const auto at = line.find("[[");
    return at != std::string_view::npos && line.find("]]", at) == std::string_view::npos;
  }
  static bool isCases(std::string_view text) {
    for (const std::string_view head :
         {"cases =", "cases=", "local cases =", "local function cases(", "function cases("})
      if (text.starts_with(head)) return true;
    return false;
  }

  bool inText_ = false;
  bool inCases_ = false;
  std::size_t casesAt_ = 0;
};

}  // namespace

json policyCoverage(const json& report, const std::string& path, const std::string& text) {
  const bool isPolicy = path.ends_with(".lua") && path != "settings.lua";
  std::set<std::uint64_t> covered;
  for (const auto& line : views::part(views::part(report, "covered"), path))
    if (line.is_number_unsigned()) covered.insert(line.get<std::uint64_t>());
  const bool marked = isPolicy && report.contains("covered");
  std::string source;
  std::uint64_t ran = 0, all = 0;
  Lines lines;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const bool did = covered.contains(number);
    const bool counts = !lines.holdsNoCode(line) && marked && (did || isCode(line));
    ran += counts && did ? 1 : 0;
    all += counts ? 1 : 0;
    const auto digits = std::to_string(number);
    source.append(digits.size() < 4 ? 4 - digits.size() : 0, ' ').append(digits);
    source.append(!counts ? "   " : did ? " + " : " ! ").append(line).append("\n");
  }
  return {{"path", path},
          {"source", source},
          {"ran", ran},
          {"all", all},
          {"coverage", all == 0 ? std::string() : std::to_string(ran) + " of " + std::to_string(all) + " lines ran"},
          {"missed", ran < all}};
}

}  // namespace postern::webadmin::pages
