#include "core/records/Period.h"
#include "core/records/PredicateFields.h"

#include <algorithm>

namespace postern::records {

namespace {

// "a", "a or b", "a, b or c".
std::string alternatives(const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i)
    text += (i == 0 ? "" : i + 1 == values.size() ? " or " : ", ") + values[i];
  return text;
}

std::string person(const std::string& value) {
  return value.starts_with('@') ? "anyone at " + value.substr(1) : value;
}

std::string bytes(std::uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text + (count == 1 ? " byte" : " bytes");
}

std::string headerWords(const Predicate::Header& header) {
  return header.name + " with the words \"" + header.contains + "\"";
}

std::string sizeWords(const Predicate& scope) {
  if (scope.minSize && scope.maxSize) return "of " + bytes(*scope.minSize) + " to " + bytes(*scope.maxSize);
  return scope.minSize ? "of at least " + bytes(*scope.minSize) : "of at most " + bytes(*scope.maxSize);
}

std::string dateWords(const Predicate& scope) {
  if (scope.from && scope.until) return "received or dated " + dayText(*scope.from) + " to " + dayText(*scope.until);
  return scope.from ? "received or dated from " + dayText(*scope.from) + " on"
                    : "received or dated until " + dayText(*scope.until);
}

}  // namespace

std::string Predicate::sentence() const {
  std::vector<std::string> parts;
  for (const auto& field : TextFields) {
    auto values = this->*field.values;
    std::transform(values.begin(), values.end(), values.begin(), person);
    if (!values.empty()) parts.push_back(field.before + alternatives(values));
  }
  std::vector<std::string> fields;
  std::transform(headers.begin(), headers.end(), std::back_inserter(fields), headerWords);
  if (!fields.empty()) parts.push_back("with a header field " + alternatives(fields));
  if (minSize || maxSize) parts.push_back(sizeWords(*this));
  if (from || until) parts.push_back(dateWords(*this));
  if (!query.empty()) parts.push_back("found by the search " + query);

  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text.empty() ? "every message" : text;
}

}  // namespace postern::records
