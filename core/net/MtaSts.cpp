#include "core/net/MtaSts.h"

#include "core/base/Error.h"

#include <algorithm>

namespace postern::net {

namespace {

bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool isLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return result;
}

bool isHostName(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  std::size_t label = 0;
  char before = '.';
  for (const char c : name) {
    if (c == '.') {
      if (label == 0 || before == '-') return false;
      label = 0;
    } else {
      if (!isLetterOrDigit(c) && c != '-' && c != '_') return false;
      if ((label == 0 && c == '-') || ++label > 63) return false;
    }
    before = c;
  }
  return label > 0 && before != '-';
}

bool isPattern(std::string_view pattern) {
  if (pattern.starts_with("*.")) pattern.remove_prefix(2);
  return isHostName(pattern);
}

std::optional<std::string> idOf(std::string_view record) {
  std::optional<std::string> id;
  record.remove_prefix(std::string_view("v=STSv1").size());
  while (!record.empty()) {
    const auto end = std::min(record.find(';'), record.size());
    const auto field = trim(record.substr(0, end));
    record.remove_prefix(std::min(end + 1, record.size()));
    if (field.empty()) continue;
    const auto equals = field.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    if (field.substr(0, equals) != "id" || id) continue;
    const auto value = field.substr(equals + 1);
    if (value.empty() || value.size() > 32 || !std::all_of(value.begin(), value.end(), isLetterOrDigit))
      return std::nullopt;
    id = std::string(value);
  }
  return id;
}

std::optional<StsPolicy::Mode> parseMode(std::string_view word) {
  using Mode = StsPolicy::Mode;
  for (const auto mode : {Mode::None, Mode::Testing, Mode::Enforce})
    if (word == stsModeWord(mode)) return mode;
  return std::nullopt;
}

std::optional<std::chrono::seconds> parseAge(std::string_view digits) {
  if (digits.empty() || digits.size() > 10) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return std::min(std::chrono::seconds(value), StsPolicy::MaxAge);
}

// The fields of a policy as they are read: of those that may not repeat only the first counts.
struct Fields {
  std::optional<std::string_view> version;
  std::optional<std::string_view> mode;
  std::optional<std::string_view> age;
  std::vector<std::string> mx;

  std::optional<std::string> take(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return "a line is no field";
    const auto name = trim(line.substr(0, colon));
    const auto value = trim(line.substr(colon + 1));
    for (auto [known, field] : {std::pair{std::string_view("version"), &version}, {"mode", &mode}, {"max_age", &age}})
      if (name == known && !*field) *field = value;
    if (name != "mx") return std::nullopt;
    if (!isPattern(value)) return "an mx field is no host name";
    if (mx.size() == StsPolicy::MaxPatterns) return "there are too many mx fields";
    mx.push_back(lower(value));
    return std::nullopt;
  }
};

}  // namespace

const char* stsModeWord(StsPolicy::Mode mode) {
  switch (mode) {
    case StsPolicy::Mode::None:
      return "none";
    case StsPolicy::Mode::Testing:
      return "testing";
    case StsPolicy::Mode::Enforce:
      return "enforce";
  }
  throw Error(ErrorKind::Invariant, "unknown mode of an MTA-STS policy");
}

bool StsPolicy::allows(std::string_view host) const {
  return std::any_of(mx.begin(), mx.end(), [&](std::string_view pattern) {
    if (!pattern.starts_with("*.")) return pattern == host;
    const auto dot = host.find('.');
    return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
  });
}

std::optional<std::string> stsRecordId(const std::vector<std::string>& records) {
  const std::string* only = nullptr;
  for (const auto& record : records) {
    if (!record.starts_with("v=STSv1")) continue;
    const auto rest = trim(std::string_view(record).substr(7));
    if (!rest.starts_with(';')) continue;
    if (only) return std::nullopt;
    only = &record;
  }
  return only ? idOf(*only) : std::nullopt;
}

Result<StsPolicy, std::string> parseStsPolicy(std::string_view text) {
  if (text.size() > StsPolicy::MaxBytes) return Unexpected(std::string("the policy is too large"));
  Fields fields;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trim(line).empty()) continue;
    if (auto problem = fields.take(line)) return Unexpected(std::move(*problem));
  }
  if (fields.version != "STSv1") return Unexpected(std::string("the version is not STSv1"));
  StsPolicy policy;
  const auto mode = parseMode(fields.mode.value_or(""));
  if (!mode) return Unexpected(std::string("the mode is not one of none, testing, enforce"));
  const auto age = parseAge(fields.age.value_or(""));
  if (!age) return Unexpected(std::string("max_age is no number of seconds"));
  if (fields.mx.empty() && *mode != StsPolicy::Mode::None)
    return Unexpected(std::string("the policy names no mail server"));
  return StsPolicy{*mode, *age, std::move(fields.mx)};
}

}  // namespace postern::net
