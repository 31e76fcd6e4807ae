#include "core/app/JsonText.h"

namespace postern::app {

nlohmann::json parseJson(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && c == '\\')
      ++at;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > MostNested)
      return nlohmann::json(nlohmann::json::value_t::discarded);
    else if (!quoted && (c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return nlohmann::json::parse(text, nullptr, false);
}

}  // namespace postern::app
