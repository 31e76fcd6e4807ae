#include "core/mail/Address.h"
#include "core/mail/Text.h"
#include "core/records/Period.h"
#include "core/records/PredicateFields.h"
#include "core/records/Query.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

namespace postern::records {

namespace {

using nlohmann::json;
using Text = Result<std::string, std::string>;

constexpr std::size_t MostValues = 10'000;
constexpr std::size_t LongestValue = 1'000;
// What a query of search may have (core/records/Query.h): terms, less some for the query of the scope itself; bytes.
constexpr std::size_t MostTerms = 150;
constexpr std::size_t LongestQuery = 4'000;

Unexpected<std::string> wrong(std::string text) {
  return Unexpected<std::string>(std::move(text));
}

// Text that people wrote: without blanks around it, printable, not empty.
Text clean(std::string_view text, std::size_t longest) {
  const auto trimmed = mail::trim(text);
  if (trimmed.empty()) return wrong("is empty; leave it out");
  if (trimmed.size() > longest) return wrong("is longer than " + std::to_string(longest) + " bytes");
  if (!mail::isUtf8(trimmed) || mail::hasControl(trimmed)) return wrong("holds characters that cannot be printed");
  return std::string(trimmed);
}

// What somebody wrote, in an error.
std::string shown(std::string_view text) {
  return "\"" + std::string(mail::cutUtf8(mail::repairUtf8(text), 80)) + "\"";
}

bool holdsWord(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte);
  });
}

Text normalHeaderName(std::string_view text) {
  const auto name = mail::lowerAscii(mail::trim(text));
  const bool good = !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!good) return wrong("is no name of a header field: letters, digits, \"-\" and \"_\"");
  return name;
}

Text normalHeaderWords(std::string_view text) {
  auto value = clean(text, LongestValue);
  if (!value) return value;
  for (const auto& word : wordsBetweenBlanks(*value))
    if (!holdsWord(word)) return wrong("has a part without a letter or digit: " + word);
  if (wordsBetweenBlanks(*value).empty()) return wrong("has no word");
  return value;
}

std::optional<std::chrono::sys_days> parseDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = -1;
    const auto* end = text.data() + at + length;
    const auto [stop, error] = std::from_chars(text.data() + at, end, value);
    return error == std::errc{} && stop == end ? value : -1;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (year < 1 || month < 1 || day < 1) return std::nullopt;
  const auto date = std::chrono::year(year) / month / day;
  return date.ok() ? std::optional<std::chrono::sys_days>(date) : std::nullopt;
}

// Reads one field after the other into `scope`; each function gives what is wrong, or nothing.
using Wrong = std::optional<std::string>;

Wrong readTexts(const json& value, const TextField& field, std::vector<std::string>& into) {
  if (!value.is_array()) return std::string(field.name) + ": must be an array of texts";
  if (value.empty()) return std::string(field.name) + ": is empty; leave it out";
  if (value.size() > MostValues) return std::string(field.name) + ": has too many values";
  std::set<std::string> seen;
  for (const auto& item : value) {
    if (!item.is_string()) return std::string(field.name) + ": must hold texts only";
    auto text = field.normalise(item.get_ref<const std::string&>());
    if (!text) return std::string(field.name) + ": " + text.error();
    if (seen.insert(*text).second) into.push_back(*std::move(text));
  }
  return std::nullopt;
}

Wrong readHeader(const json& item, std::vector<Predicate::Header>& into) {
  if (!item.is_object()) return "headers: must hold objects with name and contains";
  for (const auto& [key, value] : item.items()) {
    if (key != "name" && key != "contains") return "headers: " + shown(key) + " is not known";
    if (!value.is_string()) return "headers." + key + ": must be a text";
  }
  if (!item.contains("name")) return "headers.name: is missing";
  if (!item.contains("contains")) return "headers.contains: is missing";
  auto name = normalHeaderName(item["name"].get_ref<const std::string&>());
  if (!name) return "headers.name: " + name.error();
  auto words = normalHeaderWords(item["contains"].get_ref<const std::string&>());
  if (!words) return "headers.contains: " + words.error();
  Predicate::Header header{*std::move(name), *std::move(words)};
  if (std::find(into.begin(), into.end(), header) == into.end()) into.push_back(std::move(header));
  return std::nullopt;
}

Wrong readHeaders(const json& value, std::vector<Predicate::Header>& into) {
  if (!value.is_array()) return "headers: must be an array";
  if (value.empty()) return "headers: is empty; leave it out";
  if (value.size() > MostValues) return "headers: has too many values";
  for (const auto& item : value)
    if (auto error = readHeader(item, into)) return error;
  return std::nullopt;
}

Wrong readSize(const std::string& name, const json& value, std::optional<std::uint64_t>& into) {
  const bool whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!whole) return name + ": must be a whole number of bytes, 0 or more";
  into = value.get<std::uint64_t>();
  return std::nullopt;
}

Wrong readDay(const std::string& name, const json& value, std::optional<std::chrono::sys_days>& into) {
  if (value.is_string()) into = parseDay(value.get_ref<const std::string&>());
  if (!into) return name + ": must be a day as \"2025-01-31\"";
  return std::nullopt;
}

Wrong readQuery(const json& value, std::string& into) {
  if (!value.is_string()) return "query: must be a text";
  auto text = clean(value.get_ref<const std::string&>(), LongestQuery);
  if (!text) return "query: " + text.error();
  if (const auto query = Query::parse(*text); !query) return "query: " + query.error();
  into = *std::move(text);
  return std::nullopt;
}

Wrong readField(const std::string& name, const json& value, Predicate& scope) {
  for (const auto& field : TextFields)
    if (name == field.name) return readTexts(value, field, scope.*field.values);
  if (name == "headers") return readHeaders(value, scope.headers);
  if (name == "minSize") return readSize(name, value, scope.minSize);
  if (name == "maxSize") return readSize(name, value, scope.maxSize);
  if (name == "from") return readDay(name, value, scope.from);
  if (name == "until") return readDay(name, value, scope.until);
  if (name == "query") return readQuery(value, scope.query);
  return shown(name) + " is not known";
}

// A scope whose question to the content is too big, or cannot be asked, could never be answered, so a hold would hold
// everything.
Wrong neverAnswered(const Predicate& scope) {
  if (!scope.needsContent()) return std::nullopt;
  auto terms = scope.senders.size() + scope.recipients.size() + 2 * scope.addresses.size();
  for (const auto& header : scope.headers) terms += wordsBetweenBlanks(header.contains).size();
  const auto text = scope.contentQuery();
  if (terms > MostTerms || text.size() > LongestQuery)
    return "too many senders, recipients, addresses, header words or words of the query for one scope; use several";
  const auto query = Query::parse(text);
  if (query) return std::nullopt;
  return "the index cannot be asked for this (" + text + "): " + query.error();
}

}  // namespace

Text normalAddress(std::string_view text) {
  const auto address = mail::Address::parse(mail::trim(text));
  if (!address) return wrong(shown(text) + ": " + mail::addressErrorText(address.error()));
  if (address->isQuoted()) return wrong("an address in quotes cannot be searched for");
  return address->key();
}

Text normalDomain(std::string_view text) {
  const auto domain = mail::DomainName::parse(mail::trim(text));
  if (!domain) return wrong(shown(text) + ": " + mail::addressErrorText(domain.error()));
  return domain->text();
}

Text normalPerson(std::string_view text) {
  const auto trimmed = mail::trim(text);
  if (!trimmed.starts_with('@')) return normalAddress(trimmed);
  auto domain = normalDomain(trimmed.substr(1));
  return domain ? Text("@" + *domain) : domain;
}

Text normalClass(std::string_view text) {
  if (text == "low" || text == "moderate" || text == "high") return std::string(text);
  return wrong("a class is low, moderate or high");
}

Text normalLabel(std::string_view text) {
  auto label = clean(text, 100);
  return label ? Text(mail::lowerAscii(*label)) : label;
}

Result<Predicate, std::string> Predicate::parse(const nlohmann::json& value) {
  if (!value.is_object()) return wrong("a scope must be an object");
  Predicate scope;
  for (const auto& [name, field] : value.items())
    if (auto error = readField(name, field, scope)) return wrong(*std::move(error));
  if (scope.minSize && scope.maxSize && *scope.minSize > *scope.maxSize)
    return wrong("maxSize: is smaller than minSize");
  if (scope.from && scope.until && *scope.from > *scope.until) return wrong("until: lies before from");
  if (auto error = neverAnswered(scope)) return wrong(*std::move(error));
  return scope;
}

nlohmann::json Predicate::json() const {
  auto value = nlohmann::json::object();
  for (const auto& field : TextFields)
    if (const auto& values = this->*field.values; !values.empty()) value[field.name] = values;
  for (const auto& header : headers) value["headers"].push_back({{"name", header.name}, {"contains", header.contains}});
  if (minSize) value["minSize"] = *minSize;
  if (maxSize) value["maxSize"] = *maxSize;
  if (from) value["from"] = dayText(*from);
  if (until) value["until"] = dayText(*until);
  if (!query.empty()) value["query"] = query;
  return value;
}

}  // namespace postern::records
