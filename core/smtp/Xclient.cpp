#include "core/smtp/Xclient.h"

#include "core/mail/Text.h"
#include "core/net/IpRange.h"

#include <algorithm>
#include <set>

namespace postern::smtp {

namespace {

constexpr std::size_t LongestValue = 255;

// RFC 3461 §4, strictly: "+" and two upper-case hexadecimal digits, or a printable character but "+" and "=".
std::optional<std::string> decodeXtext(std::string_view text) {
  constexpr std::string_view Hex = "0123456789ABCDEF";
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < '!' || byte > '~' || byte == '=') return std::nullopt;
    if (byte != '+') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = Hex.find(text[i + 1]);
    const auto low = Hex.find(text[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (decoded.size() > LongestValue || mail::hasControl(decoded) || !mail::isUtf8(decoded)) return std::nullopt;
  return decoded;
}

bool isHostText(std::string_view text, bool literal) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [literal](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_' || (literal && (c == ':' || c == '[' || c == ']'));
  });
}

std::optional<std::string> parseAddress(std::string_view text) {
  constexpr std::string_view Six = "IPV6:";
  const bool marked = mail::equalsIgnoreCase(text.substr(0, Six.size()), Six);
  if (marked) text.remove_prefix(Six.size());
  if (text.find('/') != std::string_view::npos || marked != (text.find(':') != std::string_view::npos))
    return std::nullopt;
  const auto range = net::IpRange::parse(text);
  if (!range) return std::nullopt;
  const auto whole = range->text();
  return whole.substr(0, whole.find('/'));
}

std::optional<std::uint16_t> parsePort(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  const auto value = std::stoul(std::string(text));
  if (value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

// False for a value that the attribute cannot have. An empty value: not known.
bool assign(XclientCommand& command, std::string_view attribute, const std::string& value) {
  const bool unknown = value.empty();
  if (attribute == "NAME") {
    command.name = value;
    return unknown || isHostText(value, false);
  }
  if (attribute == "HELO") {
    command.helo = value;
    return unknown || isHostText(value, true);
  }
  if (attribute == "ADDR" || attribute == "DESTADDR") {
    auto& target = attribute == "ADDR" ? command.address : command.destination;
    const auto address = unknown ? std::string() : parseAddress(value).value_or("");
    target = address;
    return unknown || !address.empty();
  }
  if (attribute == "PORT" || attribute == "DESTPORT") {
    auto& target = attribute == "PORT" ? command.port : command.destinationPort;
    target = unknown ? std::uint16_t{0} : parsePort(value);
    return target.has_value();
  }
  if (attribute == "PROTO") {
    command.saysProtocol = true;
    return unknown || value == "SMTP" || value == "ESMTP";
  }
  command.login = value;
  return true;
}

}  // namespace

Result<XclientCommand, std::string> parseXclient(std::string_view arguments) {
  XclientCommand command;
  std::set<std::string> seen;
  while (!arguments.empty()) {
    const auto blank = arguments.find(' ');
    const auto word = arguments.substr(0, blank);
    arguments.remove_prefix(blank == std::string_view::npos ? arguments.size() : blank + 1);
    if (word.empty()) continue;
    const auto equals = word.find('=');
    std::string attribute;
    for (const char c : word.substr(0, equals))
      attribute += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    static const std::set<std::string> known = {"NAME", "ADDR",  "PORT",     "PROTO",
                                                "HELO", "LOGIN", "DESTADDR", "DESTPORT"};
    if (equals == std::string_view::npos || !known.contains(attribute))
      return Unexpected("use XCLIENT with attributes of " + std::string(XclientAttributes));
    if (!seen.insert(attribute).second) return Unexpected("attribute given twice: " + attribute);
    auto value = decodeXtext(word.substr(equals + 1));
    if (!value) return Unexpected("the value is no xtext: " + attribute);
    const bool unknown =
        mail::equalsIgnoreCase(*value, "[UNAVAILABLE]") || mail::equalsIgnoreCase(*value, "[TEMPUNAVAIL]");
    if (!unknown && value->empty()) return Unexpected("the value is empty: " + attribute);
    if (!assign(command, attribute, unknown ? std::string() : *value))
      return Unexpected("not a value of this attribute: " + attribute);
  }
  if (seen.empty()) return Unexpected("use XCLIENT with attributes of " + std::string(XclientAttributes));
  return command;
}

}  // namespace postern::smtp
