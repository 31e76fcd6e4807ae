#pragma once
#include "listd/keys/Proposals.h"
#include "listd/orders/OrderDesk.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

constexpr std::uint64_t KeyMailsPerDay = 3;  // to one address, whatever asks for them

// What a mailed link leads to.
struct KeyLinkWish {
  std::string candidate = {};  // the key to confirm; empty: the page where a key can be given
  std::string unfit = {};      // why a key that came by mail was not taken; the page says it
};

// Mails the member a link. False when the address got its mails of the day. In the caller's transaction.
bool mailKeyLink(SiteContext& context, SiteTables& tables, const std::string& address, const KeyLinkWish& wish);

// Mails the member that the key ends, with a link to the page where a new one can be given; it works until the key
// ends, 16 days at most. In the caller's transaction. Counts among the mails of the day, but is never left out for
// them.
void mailKeyEnding(SiteContext& context, SiteTables& tables, const EndingKey& key);

// Mail to LIST-request. With the subject "key" and none in it, it asks for those of the list (ListKeyMail). Other mail
// brings a member's key, as an attachment or on the signature. A key that a confirmed key of the member signs for is in
// use at once; any other waits until the member uses the link that is mailed to the address. Mail of others, automatic
// mail and what is over the day's number is dropped without an answer.
void takeKeyRequest(SiteContext& context, const mail::Message& message, const std::string& mailFrom, const List& list);

std::span<const OrderRow> keyLinkOrders();  // key.link-ask, key.link-show, key.link-use

}  // namespace postern::listd
