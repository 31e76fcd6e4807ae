#pragma once
#include "core/base/Result.h"

#include <compare>
#include <string>
#include <string_view>

namespace postern::mail {

enum class AddressError {
  Empty,
  NoAt,              // no "@" outside quotes
  BadLocalPart,      // neither a dot-string nor a quoted string, or not valid UTF-8
  LocalPartTooLong,  // over 64 octets
  BadDomain,         // empty label, bad character, trailing dot, not valid under IDNA
  DomainTooLong,     // over 255 octets, or a label over 63
  BadLiteral,        // brackets that hold no IPv4 or IPv6 address
  ControlCharacter,  // NUL, CR, LF, tab or any other control, anywhere
  SourceRoute,       // "@relay:user@domain"
};
const char* addressErrorText(AddressError error);  // plain words for a reply or an administrator

// The name of a mail domain, checked. Immutable; safe for all threads.
// Invariants: labels of letters, digits and hyphens (underscore refused), each 1 to 63 octets, 255 in all; lower
// case; internationalised labels stand as A-labels ("xn--…"), whatever form they came in; no trailing dot.
class DomainName {
public:
  static Result<DomainName, AddressError> parse(std::string_view text);

  const std::string& text() const { return text_; }
  auto operator<=>(const DomainName&) const = default;

private:
  explicit DomainName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A mailbox as in SMTP commands (RFC 5321 §4.1.2, RFC 6531 §3.3), without angle brackets. No unchecked address exists.
// Invariants:
//  1. The local part is a dot-string, or a quoted string only where it has to be: "a b"@x stays quoted, "ab"@x
//     becomes ab@x. Percent, bang and plus are ordinary characters; nothing is ever routed by them.
//  2. The domain is a DomainName or an address literal in brackets.
//  3. No control characters, no space outside quotes, valid UTF-8.
// Immutable; safe for all threads.
class Address {
public:
  static constexpr std::size_t MaxLocalPart = 64;
  static constexpr std::size_t MaxDomain = 255;

  static Result<Address, AddressError> parse(std::string_view text);

  const std::string& localPart() const { return localPart_; }  // as on the wire, in quotes if it needs them
  const std::string& domain() const { return domain_; }        // lower case, A-labels; or "[192.0.2.1]", "[ipv6:…]"
  std::string text() const { return localPart_ + "@" + domain_; }
  std::string key() const;  // for look-ups: text() with ASCII letters in lower case
  bool isAscii() const;     // false: the local part needs SMTPUTF8
  bool isLiteral() const { return domain_.front() == '['; }
  bool isQuoted() const { return localPart_.front() == '"'; }

  auto operator<=>(const Address&) const = default;

private:
  Address(std::string localPart, std::string domain) : localPart_(std::move(localPart)), domain_(std::move(domain)) {}
  std::string localPart_;
  std::string domain_;
};

}  // namespace postern::mail
