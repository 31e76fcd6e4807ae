#pragma once
#include "core/mail/Message.h"
#include "listd/site/SiteContext.h"

#include <string>

namespace postern::listd {

constexpr std::uint64_t StrangersPerDay = 200;

// Whether mail to LIST-request asks for the public keys of the list: its subject is "key" or "keys".
bool asksForListKeys(const mail::Message& message);

// Mails the list's public keys to the author: a member of the list, or anybody when the list publishes its keys.
// Others, automatic mail and what is over the day's number of mails about keys to one address get no answer. Nobody
// proves to be the author, so that strangers can have such mail sent to people who never asked: no more than
// StrangersPerDay of them get one a day, of all lists, and none when the mail says itself that it comes from elsewhere.
// What the mail has beside its subject is not looked at. Never to be called inside a job of SiteStore.
void mailListKeys(SiteContext& context, const mail::Message& message, const std::string& mailFrom, const List& list,
                  const std::string& author);

}  // namespace postern::listd
