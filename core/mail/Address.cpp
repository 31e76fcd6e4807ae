#include "core/mail/Address.h"

#include "core/mail/Text.h"

#include <arpa/inet.h>
#include <idn2.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace postern::mail {

namespace {

bool isAtext(char c) {  // RFC 5322 §3.2.3, with the characters of RFC 6531 §3.3
  if (static_cast<unsigned char>(c) >= 0x80) return true;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool isDotString(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.find("..") != text.npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || isAtext(c); });
}

// U+0080 to U+009F in UTF-8.
bool hasC1Control(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    if (static_cast<unsigned char>(text[i]) == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  return false;
}

// Offset of the "@" behind the local part; nothing when a quoted string is not closed or no "@" follows.
std::optional<std::size_t> findAt(std::string_view text) {
  if (text.front() != '"') {
    const auto at = text.find('@');
    return at == text.npos ? std::nullopt : std::optional(at);
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1 < text.size() && text[i + 1] == '@' ? std::optional(i + 1) : std::nullopt;
  }
  return std::nullopt;
}

std::string unquote(std::string_view quoted) {  // REQUIRES a closed quoted string
  std::string content;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\') ++i;
    content += quoted[i];
  }
  return content;
}

std::string quote(std::string_view content) {
  std::string quoted = "\"";
  for (const char c : content) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

Result<std::string, AddressError> normaliseLocalPart(std::string_view text) {
  if (text.empty()) return Unexpected(AddressError::BadLocalPart);
  const bool quoted = text.front() == '"';
  const std::string content = quoted ? unquote(text) : std::string(text);
  if (!isUtf8(content) || hasC1Control(content)) return Unexpected(AddressError::BadLocalPart);
  const bool plain = isDotString(content);
  if (!plain && !quoted) return Unexpected(AddressError::BadLocalPart);
  // The limit holds for what was written and for what we write.
  std::string result = plain ? content : quote(content);
  if (std::max(text.size(), result.size()) > Address::MaxLocalPart) return Unexpected(AddressError::LocalPartTooLong);
  return result;
}

Result<std::string, AddressError> normaliseLiteral(std::string_view text) {  // RFC 5321 §4.1.3
  if (text.size() < 3 || text.back() != ']' || text.size() > Address::MaxDomain)
    return Unexpected(AddressError::BadLiteral);
  const std::string inside = lowerAscii(text.substr(1, text.size() - 2));
  unsigned char binary[16];
  char written[INET6_ADDRSTRLEN];
  if (inside.starts_with("ipv6:")) {
    if (inet_pton(AF_INET6, inside.c_str() + 5, binary) != 1) return Unexpected(AddressError::BadLiteral);
    return "[ipv6:" + std::string(inet_ntop(AF_INET6, binary, written, sizeof written)) + "]";
  }
  if (inet_pton(AF_INET, inside.c_str(), binary) != 1) return Unexpected(AddressError::BadLiteral);
  return "[" + inside + "]";
}

bool isLetterDigitHyphenName(std::string_view name) {
  std::size_t labelLength = 0;
  char previous = '.';
  for (const char c : name) {
    if (c == '.') {
      if (labelLength == 0 || previous == '-') return false;
      labelLength = 0;
    } else {
      const bool letterOrDigit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!letterOrDigit && (c != '-' || labelLength == 0)) return false;
      ++labelLength;
    }
    previous = c;
  }
  return labelLength > 0 && previous != '-';
}

bool hasLongLabel(std::string_view name) {
  std::size_t start = 0;
  while (start <= name.size()) {
    const auto end = std::min(name.find('.', start), name.size());
    if (end - start > 63) return true;
    start = end + 1;
  }
  return false;
}

// U-labels become A-labels; A-labels are proven to be what IDNA would have made.
std::optional<std::string> toALabels(const std::string& name) {
  unsigned char* output = nullptr;
  const auto* input = reinterpret_cast<const unsigned char*>(name.c_str());
  const int code = idn2_lookup_u8(input, &output, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT | IDN2_USE_STD3_ASCII_RULES);
  const std::unique_ptr<unsigned char, void (*)(void*)> owner(output, idn2_free);
  if (code != IDN2_OK || output == nullptr) return std::nullopt;
  return lowerAscii(reinterpret_cast<const char*>(output));
}

}  // namespace

const char* addressErrorText(AddressError error) {
  switch (error) {
    case AddressError::Empty:
      return "the address is empty";
    case AddressError::NoAt:
      return "the address has no @";
    case AddressError::BadLocalPart:
      return "the part before the @ is not valid";
    case AddressError::LocalPartTooLong:
      return "the part before the @ is longer than 64 octets";
    case AddressError::BadDomain:
      return "the domain is not valid";
    case AddressError::DomainTooLong:
      return "the domain is too long";
    case AddressError::BadLiteral:
      return "the address literal is not valid";
    case AddressError::ControlCharacter:
      return "the address contains a control character";
    case AddressError::SourceRoute:
      return "source routes are not supported";
  }
  return "the address is not valid";
}

Result<DomainName, AddressError> DomainName::parse(std::string_view text) {
  if (hasControl(text)) return Unexpected(AddressError::ControlCharacter);
  if (text.size() > Address::MaxDomain) return Unexpected(AddressError::DomainTooLong);
  if (text.empty() || !isUtf8(text)) return Unexpected(AddressError::BadDomain);
  std::string name = lowerAscii(text);
  if (!mail::isAscii(name) || name.find("xn--") != name.npos) {
    auto converted = toALabels(name);
    if (!converted) return Unexpected(AddressError::BadDomain);
    name = std::move(*converted);
  }
  if (name.size() > Address::MaxDomain || hasLongLabel(name)) return Unexpected(AddressError::DomainTooLong);
  if (!isLetterDigitHyphenName(name)) return Unexpected(AddressError::BadDomain);
  return DomainName(std::move(name));
}

Result<Address, AddressError> Address::parse(std::string_view text) {
  if (text.empty()) return Unexpected(AddressError::Empty);
  if (hasControl(text)) return Unexpected(AddressError::ControlCharacter);
  if (text.front() == '@') return Unexpected(AddressError::SourceRoute);
  const auto at = findAt(text);
  if (!at) return Unexpected(AddressError::NoAt);

  auto localPart = normaliseLocalPart(text.substr(0, *at));
  if (!localPart) return Unexpected(localPart.error());
  const auto domainText = text.substr(*at + 1);
  if (domainText.starts_with('[')) {
    auto literal = normaliseLiteral(domainText);
    if (!literal) return Unexpected(literal.error());
    return Address(std::move(*localPart), std::move(*literal));
  }
  auto domain = DomainName::parse(domainText);
  if (!domain) return Unexpected(domain.error());
  return Address(std::move(*localPart), domain->text());
}

std::string Address::key() const {
  return lowerAscii(localPart_) + "@" + domain_;
}

bool Address::isAscii() const {
  return mail::isAscii(localPart_);
}

}  // namespace postern::mail
