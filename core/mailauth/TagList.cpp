#include "core/mailauth/TagList.h"

#include "core/mail/Text.h"

#include <algorithm>

namespace postern::mailauth {

namespace {

bool isName(std::string_view name) {
  if (name.empty()) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

// VALCHAR of the grammar with folding blanks between.
bool isValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c > 0x20 && c < 0x7f && c != ';') || c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

std::optional<TagList> TagList::parse(std::string_view text) {
  TagList list;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    const auto spec = text.substr(0, end);
    const bool last = end >= text.size();
    text.remove_prefix(std::min(end + 1, text.size()));
    if (mail::trim(spec).empty() && (last || mail::trim(text).empty())) break;
    const auto equals = spec.find('=');
    if (equals == spec.npos) return std::nullopt;
    const auto name = mail::trim(spec.substr(0, equals));
    const auto value = mail::trim(spec.substr(equals + 1));
    if (!isName(name) || !isValue(value) || list.find(name) || list.tags_.size() == 100) return std::nullopt;
    list.tags_.emplace_back(name, value);
  }
  return list;
}

std::optional<std::string_view> TagList::find(std::string_view name) const {
  for (const auto& [known, value] : tags_)
    if (known == name) return value;
  return std::nullopt;
}

std::string_view TagList::value(std::string_view name, std::string_view otherwise) const {
  return find(name).value_or(otherwise);
}

std::string TagList::compact(std::string_view name) const {
  return withoutBlanks(value(name));
}

std::string withoutBlanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') result += c;
  return result;
}

std::vector<std::string> splitCompact(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(mail::lowerAscii(withoutBlanks(text.substr(0, end))));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<long long> readNumber(std::string_view text) {
  if (text.empty() || text.size() > 12) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return std::stoll(std::string(text));
}

}  // namespace postern::mailauth
