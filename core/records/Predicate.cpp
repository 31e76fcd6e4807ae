#include "core/records/Predicate.h"

#include "core/mail/Text.h"
#include "core/records/PredicateFields.h"

#include <algorithm>
#include <string_view>

namespace postern::records {

namespace {

using Values = std::vector<std::string>;

bool has(const Values& values, std::string_view text) {
  return std::any_of(values.begin(), values.end(),
                     [&](const std::string& value) { return mail::equalsIgnoreCase(value, text); });
}

template <class Fact>
bool anyList(const Values& values, const Facts& facts, Fact Facts::ListFacts::*fact) {
  return values.empty() || std::any_of(facts.lists.begin(), facts.lists.end(),
                                       [&](const Facts::ListFacts& list) { return has(values, list.*fact); });
}

// Alternatives: none at all lets everything through, so one that allows everything covers all, and no list of some
// covers one that allows everything.
template <class Value, class Same>
bool covers(const std::vector<Value>& wide, const std::vector<Value>& narrow, Same same) {
  if (wide.empty()) return true;
  return !narrow.empty() && std::all_of(narrow.begin(), narrow.end(), [&](const Value& value) {
    return std::any_of(wide.begin(), wide.end(), [&](const Value& other) { return same(value, other); });
  });
}

// Neither an operator (they are in capitals) nor anything that the query language knows.
bool plain(std::string_view text) {
  return text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '@' || c == '.' || c == '-' || c == '_' ||
                  c == '+';
         });
}

// A value as the query language takes it: one word, or in quotes. Quotes within cannot be written and are no letters.
std::string asValue(std::string_view text) {
  if (plain(text)) return std::string(text);
  std::string result = "\"";
  for (const char c : text) result += c == '"' || c == '\\' ? ' ' : c;
  return result + '"';
}

// Alternatives in brackets when there are several.
std::string anyOf(const Values& alternatives) {
  if (alternatives.size() == 1) return alternatives.front();
  std::string text = "(";
  for (const auto& one : alternatives) text += (text.size() == 1 ? "" : " OR ") + one;
  return text + ")";
}

Values fieldTerms(const Values& values, std::string_view field) {
  Values terms;
  for (const auto& value : values) terms.push_back(std::string(field) + ":" + asValue(value));
  return terms;
}

// All words must be there, in any order.
std::string headerTerm(const Predicate::Header& header) {
  const auto words = wordsBetweenBlanks(header.contains);
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "header:" : " header:") + header.name + "=" + asValue(word);
  return words.size() == 1 ? text : "(" + text + ")";
}

}  // namespace

Values wordsBetweenBlanks(std::string_view text) {
  constexpr std::string_view Blanks = " \t\"\\";
  Values words;
  for (auto start = text.find_first_not_of(Blanks); start != text.npos;) {
    const auto end = std::min(text.find_first_of(Blanks, start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = text.find_first_not_of(Blanks, end);
  }
  return words;
}

bool Predicate::needsContent() const {
  return !(senders.empty() && recipients.empty() && addresses.empty() && headers.empty() && query.empty());
}

std::string Predicate::contentQuery() const {
  Values parts;
  if (!senders.empty()) parts.push_back(anyOf(fieldTerms(senders, "from")));
  if (!recipients.empty()) parts.push_back(anyOf(fieldTerms(recipients, "to")));
  if (!addresses.empty()) {
    auto terms = fieldTerms(addresses, "from");
    for (auto& term : fieldTerms(addresses, "to")) terms.push_back(std::move(term));
    parts.push_back(anyOf(terms));
  }
  Values headerTerms;
  for (const auto& header : headers) headerTerms.push_back(headerTerm(header));
  if (!headerTerms.empty()) parts.push_back(anyOf(headerTerms));
  if (!query.empty()) parts.push_back(parts.empty() ? query : "(" + query + ")");

  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

bool Predicate::receivedWithin(TimePoint receivedAt) const {
  return (!from || receivedAt >= TimePoint(*from)) && (!until || receivedAt < TimePoint(*until + std::chrono::days(1)));
}

bool Predicate::covers(const Predicate& narrow) const {
  const auto sameHeader = [](const Header& a, const Header& b) {
    return mail::equalsIgnoreCase(a.name, b.name) && mail::equalsIgnoreCase(a.contains, b.contains);
  };
  for (const auto& field : TextFields)
    if (!records::covers(this->*field.values, narrow.*field.values, mail::equalsIgnoreCase)) return false;
  if (!records::covers(headers, narrow.headers, sameHeader)) return false;
  if (minSize && (!narrow.minSize || *narrow.minSize < *minSize)) return false;
  if (maxSize && (!narrow.maxSize || *narrow.maxSize > *maxSize)) return false;
  if (from && (!narrow.from || *narrow.from < *from)) return false;
  if (until && (!narrow.until || *narrow.until > *until)) return false;
  return query.empty() || query == narrow.query;
}

Truth Predicate::matchesFacts(const Facts& facts) const {
  if (!anyList(lists, facts, &Facts::ListFacts::address)) return Truth::False;
  if (!anyList(listClasses, facts, &Facts::ListFacts::sensitivity)) return Truth::False;
  if (!anyList(domains, facts, &Facts::ListFacts::domain)) return Truth::False;
  if (minSize && facts.size < *minSize) return Truth::False;
  if (maxSize && facts.size > *maxSize) return Truth::False;
  if (!classes.empty() && !has(classes, facts.sensitivity)) return Truth::False;
  if (!labels.empty() && std::none_of(facts.labels.begin(), facts.labels.end(),
                                      [&](const std::string& label) { return has(labels, label); }))
    return Truth::False;
  const bool within = receivedWithin(facts.receivedAt) || (facts.headerDate && receivedWithin(*facts.headerDate));
  return within ? Truth::True : Truth::False;
}

Truth Predicate::agreedMatch(const Facts& facts) const {
  auto by = facts;
  by.headerDate.reset();
  const auto byReceipt = matchesFacts(by);
  if (!facts.headerDate) return byReceipt;
  by.receivedAt = *facts.headerDate;
  return matchesFacts(by) == byReceipt ? byReceipt : Truth::Unknown;
}

Truth Predicate::matches(const Facts& facts, Truth content) const {
  return both(matchesFacts(facts), needsContent() ? content : Truth::True);
}

}  // namespace postern::records
