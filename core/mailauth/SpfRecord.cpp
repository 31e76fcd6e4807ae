#include "core/mail/Text.h"
#include "core/mailauth/Spf.h"

#include <algorithm>

namespace postern::mailauth {

namespace {

using Kind = SpfTerm::Kind;
constexpr std::string_view Version = "v=spf1";

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isAlpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct NamedKind {
  std::string_view name;
  Kind kind;
};
constexpr NamedKind Kinds[] = {{"all", Kind::All}, {"include", Kind::Include}, {"a", Kind::A},
                               {"mx", Kind::Mx},   {"ptr", Kind::Ptr},         {"ip4", Kind::Ip4},
                               {"ip6", Kind::Ip6}, {"exists", Kind::Exists}};

// domain-spec: a macro-string that ends in a macro or in a top label (RFC 7208 §7.1).
bool isDomainSpec(std::string_view text) {
  if (text.empty() || !isMacroString(text, false)) return false;
  if (text.ends_with('}') || text.ends_with("%%") || text.ends_with("%_") || text.ends_with("%-")) return true;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto dot = text.rfind('.');
  if (dot == text.npos) return false;
  const auto top = text.substr(dot + 1);
  if (top.empty() || top.front() == '-' || top.back() == '-') return false;
  const bool plain = std::all_of(top.begin(), top.end(), [](char c) { return isDigit(c) || isAlpha(c) || c == '-'; });
  return plain && !std::all_of(top.begin(), top.end(), isDigit);
}

// "0" to `max`, without leading zeros.
std::optional<std::uint8_t> readBits(std::string_view text, unsigned max) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), isDigit)) return std::nullopt;
  const auto value = static_cast<unsigned>(std::stoul(std::string(text)));
  if (value > max) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

// Takes "/24", "//64" or "/24//64" off the end of the argument of a and mx.
bool takeDualCidr(std::string_view& text, SpfTerm& term) {
  if (const auto six = text.rfind("//"); six != text.npos) {
    const auto bits = readBits(text.substr(six + 2), 128);
    if (!bits) return false;
    term.bits6 = *bits;
    text = text.substr(0, six);
  }
  const auto four = text.rfind('/');
  if (four == text.npos) return true;
  const auto digits = text.substr(four + 1);
  if (!std::all_of(digits.begin(), digits.end(), isDigit)) return true;  // a slash inside the name
  const auto bits = readBits(digits, 32);
  if (!bits) return false;
  term.bits4 = *bits;
  text = text.substr(0, four);
  return true;
}

bool readNetwork(std::string_view text, SpfTerm& term) {
  const bool six = term.kind == Kind::Ip6;
  const auto slash = text.find('/');
  if (slash != text.npos) {
    const auto bits = readBits(text.substr(slash + 1), six ? 128 : 32);
    if (!bits) return false;
    (six ? term.bits6 : term.bits4) = *bits;
  }
  const auto address = text.substr(0, slash);
  if ((address.find(':') != address.npos) != six) return false;
  term.network = addressBytes(address);
  // An IPv4 address mapped into IPv6 stays what the record says: an IPv6 network.
  if (six && term.network.size() == 4) term.network = std::string(10, '\0').append("\xff\xff").append(term.network);
  return term.network.size() == (six ? 16u : 4u);
}

bool readArgument(std::string_view rest, SpfTerm& term) {
  const bool dual = term.kind == Kind::A || term.kind == Kind::Mx;
  if (dual && !takeDualCidr(rest, term)) return false;
  const bool needed =
      term.kind == Kind::Include || term.kind == Kind::Exists || term.kind == Kind::Ip4 || term.kind == Kind::Ip6;
  if (rest.empty()) return !needed;
  if (term.kind == Kind::All || rest.front() != ':') return false;
  rest.remove_prefix(1);
  if (term.kind == Kind::Ip4 || term.kind == Kind::Ip6) return readNetwork(rest, term);
  term.domain = rest;
  return isDomainSpec(rest);
}

bool readMechanism(std::string_view text, SpfRecord& record) {
  SpfTerm term;
  switch (text.front()) {
    case '-':
      term.qualifier = SpfOutcome::Fail;
      break;
    case '~':
      term.qualifier = SpfOutcome::SoftFail;
      break;
    case '?':
      term.qualifier = SpfOutcome::Neutral;
      break;
    default:
      break;
  }
  if (std::string_view("+-~?").find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  const auto end = std::min(text.find_first_of(":/"), text.size());
  for (const auto& [name, kind] : Kinds) {
    if (!mail::equalsIgnoreCase(name, text.substr(0, end))) continue;
    term.kind = kind;
    if (!readArgument(text.substr(end), term)) return false;
    record.terms.push_back(std::move(term));
    return true;
  }
  return false;
}

// "name=value", where the name is what a modifier may have; others are mechanisms.
bool isModifier(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0 || !isAlpha(text.front())) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(equals),
                     [](char c) { return isAlpha(c) || isDigit(c) || c == '-' || c == '_' || c == '.'; });
}

bool readModifier(std::string_view text, SpfRecord& record) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const auto value = text.substr(equals + 1);
  const bool redirect = mail::equalsIgnoreCase(name, "redirect");
  if (!redirect && !mail::equalsIgnoreCase(name, "exp")) return isMacroString(value, false);
  auto& place = redirect ? record.redirect : record.explanation;
  if (place || !isDomainSpec(value)) return false;
  place = value;
  return true;
}

}  // namespace

const char* wordFor(SpfOutcome outcome) {
  static constexpr const char* Words[] = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};
  return Words[static_cast<std::size_t>(outcome)];
}

bool isSpfRecord(std::string_view txt) {
  return txt.size() >= Version.size() && mail::equalsIgnoreCase(txt.substr(0, Version.size()), Version) &&
         (txt.size() == Version.size() || txt[Version.size()] == ' ');
}

std::optional<SpfRecord> parseSpfRecord(std::string_view txt) {
  SpfRecord record;
  if (!isSpfRecord(txt)) return std::nullopt;
  txt.remove_prefix(Version.size());
  while (!txt.empty()) {
    const auto end = std::min(txt.find(' '), txt.size());
    const auto term = txt.substr(0, end);
    txt.remove_prefix(std::min(end + 1, txt.size()));
    if (term.empty()) continue;
    if (!(isModifier(term) ? readModifier(term, record) : readMechanism(term, record))) return std::nullopt;
  }
  return record;
}

}  // namespace postern::mailauth
