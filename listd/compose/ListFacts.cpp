#include "listd/compose/ListFacts.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <array>

namespace postern::listd {

namespace {

constexpr std::array OwnSuffixes = {"-owner",     "-bounces",     "-request", "-join",     "-leave",
                                    "-subscribe", "-unsubscribe", "-confirm", "-moderate", "-help"};

constexpr std::array RoleNames = {"postmaster", "abuse",    "hostmaster", "webmaster", "mailer-daemon",
                                  "root",       "security", "noc",        "admin",     "administrator"};

}  // namespace

const char* listNameErrorText(ListNameError error) {
  switch (error) {
    case ListNameError::Quoted:
      return "a list name cannot contain characters that need quotes";
    case ListNameError::Literal:
      return "a list needs a domain name, not an address literal";
    case ListNameError::NotAscii:
      return "a list name must be plain ASCII";
    case ListNameError::BadCharacter:
      return "a list name may contain letters, digits, '.', '-' and '_' only";
    case ListNameError::Reserved:
      return "this name is reserved for one of a list's own addresses or for a role";
    case ListNameError::TooLong:
      return "a list name may have at most 31 characters";
  }
  return "this is no list name";
}

Result<mail::Address, ListNameError> checkListAddress(const mail::Address& address) {
  if (address.isLiteral()) return Unexpected(ListNameError::Literal);
  if (address.isQuoted()) return Unexpected(ListNameError::Quoted);
  if (!address.isAscii()) return Unexpected(ListNameError::NotAscii);
  const std::string name = mail::lowerAscii(address.localPart());
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
  if (!plain || name.front() == '-') return Unexpected(ListNameError::BadCharacter);
  for (const auto* suffix : OwnSuffixes)
    if (name.ends_with(suffix)) return Unexpected(ListNameError::Reserved);
  for (const auto* role : RoleNames)
    if (name == role) return Unexpected(ListNameError::Reserved);
  if (name.size() > MaxListName) return Unexpected(ListNameError::TooLong);
  return *mail::Address::parse(name + "@" + address.domain());
}

mail::Address subAddress(const mail::Address& list, std::string_view suffix) {
  auto address = mail::Address::parse(list.localPart() + "-" + std::string(suffix) + "@" + list.domain());
  if (!address)
    throw Error(ErrorKind::Invariant, "the list address " + list.text() + " gives no valid -" + std::string(suffix) +
                                          " address: " + mail::addressErrorText(address.error()));
  return std::move(*address);
}

std::string listId(const mail::Address& list) {
  return mail::lowerAscii(list.localPart()) + "." + list.domain();
}

}  // namespace postern::listd
