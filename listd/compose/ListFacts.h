#pragma once
#include "core/base/Result.h"
#include "core/mail/Address.h"
#include "listd/compose/ListShape.h"

#include <string>
#include <string_view>

namespace postern::listd {

// What the mail of a list says about the list. Everything here is chosen by owners, so nothing of it is trusted
// to be fit for a header: writers encode it.
struct ListFacts {
  mail::Address address;    // board@lists.example
  std::string displayName;  // UTF-8; empty: the local part is shown
  std::string description;  // UTF-8, one line; leaves the site in clear for open lists only
  bool secure = false;
  std::string helpLink;  // https link on a help page; empty: none
  ListShape shape{};
  std::string
      signedAuthorDomain{};  // for AuthorShown::Own: a domain of the site's whose author is proven and signed for

  const std::string& shownName() const { return displayName.empty() ? address.localPart() : displayName; }
};

// Why an address cannot be a list's.
enum class ListNameError {
  Quoted,        // needs quotes
  Literal,       // no domain name
  NotAscii,      // members' servers may not speak SMTPUTF8
  BadCharacter,  // only letters, digits, ".", "-" and "_"
  Reserved,      // ends like one of a list's own addresses ("-owner") or is one of RFC 2142's role names
  TooLong,       // list-bounces+TAG would be over 64 octets (RFC 5321 §4.5.3.1.1)
};
const char* listNameErrorText(ListNameError error);

constexpr std::size_t MaxListName = 31;

// To be asked when a list is made: afterwards every address below fits the limits.
Result<mail::Address, ListNameError> checkListAddress(const mail::Address& address);

// "board-owner@lists.example" for suffix "owner".
mail::Address subAddress(const mail::Address& list, std::string_view suffix);

// "board.lists.example" (RFC 2919).
std::string listId(const mail::Address& list);

}  // namespace postern::listd
