#include "core/mail/Parameters.h"

#include "core/mail/Header.h"
#include "core/mail/Text.h"

#include <algorithm>

namespace postern::mail {

namespace {

constexpr std::size_t MaxParameters = 1000;

// The value in segments at semicolons outside quotes and comments; comments are taken out, quotes stay.
std::vector<std::string> splitSegments(std::string_view line, ParameterizedValue& result) {
  bool& wellFormed = result.wellFormed;
  std::vector<std::string> segments(1);
  std::size_t comment = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && (quoted || comment > 0) && i + 1 < line.size()) {
      if (comment == 0) segments.back().append(line.substr(i, 2));
      ++i;
    } else if (comment > 0) {
      comment = c == '(' ? comment + 1 : c == ')' ? comment - 1 : comment;
    } else if (!quoted && c == '(') {
      ++comment;
      result.hasComment = true;
    } else if (!quoted && c == ';') {
      if (segments.size() > MaxParameters) {
        wellFormed = false;
        return segments;
      }
      segments.emplace_back();
    } else {
      if (c == '"') quoted = !quoted;
      segments.back() += c;
    }
  }
  if (quoted || comment > 0) wellFormed = false;
  return segments;
}

std::string unquoted(std::string_view text, bool& wellFormed) {
  if (!text.starts_with('"')) {
    if (text.find_first_of(" \t\"") != text.npos) wellFormed = false;
    return std::string(text);
  }
  std::string value;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  if (i + 1 != text.size()) wellFormed = false;  // not closed, or something behind the quotes
  return value;
}

}  // namespace

const Parameter* ParameterizedValue::find(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const Parameter& parameter) { return equalsIgnoreCase(parameter.name, name); });
  return found == parameters.end() ? nullptr : &*found;
}

ParameterizedValue parseParameterized(std::string_view rawValue) {
  ParameterizedValue result;
  const auto segments = splitSegments(unfold(rawValue), result);
  for (const char c : segments.front())
    if (c != ' ' && c != '\t') result.value += c;
  result.value = lowerAscii(result.value);
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const auto raw = trim(segments[i]);
    if (raw.empty()) continue;  // "text/plain;" is common
    const auto equals = raw.find('=');
    const auto name = trim(raw.substr(0, std::min(equals, raw.size())));
    if (equals == raw.npos || name.empty() || name.find_first_of(" \t\"") != name.npos) {
      result.wellFormed = false;
      continue;
    }
    result.parameters.push_back(
        {lowerAscii(name), unquoted(trim(raw.substr(equals + 1)), result.wellFormed), std::string(raw)});
  }
  return result;
}

}  // namespace postern::mail
