#pragma once
#include "listd/site/SiteContext.h"
#include "listd/subscribe/SubscriptionStore.h"

#include <optional>
#include <string>
#include <string_view>

// Joining and leaving. Mail, pages, command line and API all come here, so that a list has one rule. Whoever asks
// learns nothing of who is a member: what differs stands in mail to the mailbox in question, or behind its token. Every
// function with SiteTables works in the caller's transaction.
namespace postern::listd {

constexpr std::chrono::hours ConfirmWithin{72};
constexpr std::chrono::hours DecideWithin{180 * 24};
constexpr std::chrono::hours InvitedFor{14 * 24};

// Against floods of forged requests: what goes beyond is dropped without an answer and leaves no row.
constexpr std::chrono::hours BetweenMailsToOne{24};  // to one address about one list
constexpr std::uint64_t MailsToAddressPerDay = 5;    // about all lists
constexpr std::uint64_t RequestsOfNetworkPerHour = 60;
constexpr std::uint64_t RequestsOfListPerDay = 1000;
constexpr std::uint64_t RequestsOfSitePerDay = 5000;

struct Asking {
  std::string action = "join";  // "join" "leave" "member"
  std::string address;          // lower case
  std::string name = {};
  std::string origin = "web";
  std::string client = {};  // address of the client; empty: no limit by network applies
  bool proven = false;      // that the address asks itself: its domain by DMARC, or the account
};

enum class Asked {
  Nothing,  // the list does not take it, or too much was asked; the asker is not told
  Mailed,   // the mailbox is to confirm
  Waiting,  // an owner is to decide
  Done,
};
const char* askedWord(Asked asked);

Asked askSubscription(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking);

// The mailbox of a request has confirmed it; `oldMailbox` says which one of a change of address. What came of it:
// "joined" "left" "waiting" "moved" "other-mailbox" (the other one is still to confirm), "not-member" "closed" "banned"
// "taken" (there is such a member).
std::string confirmRequest(const SiteContext& context, SiteTables& tables, SubscriptionRequest request,
                           const List& list, bool oldMailbox = true);

// An owner decides about one that waits; `by`: the account. What came of it, as above, or "refused".
std::string decideRequest(const SiteContext& context, SiteTables& tables, SubscriptionRequest request, const List& list,
                          bool grant, const std::string& reason, const std::string& by);

// Invites an address: a mail with a link. False: it got its mails, is a member or banned.
bool inviteToList(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking);

// A member asks that another address takes the place of theirs; both mailboxes get a link. False: too many mails, or
// the other address is banned or a list.
bool askAddressChange(const SiteContext& context, SiteTables& tables, const List& list, const std::string& from,
                      const std::string& to);

// Puts somebody on the list or takes them off, with what must follow. False: nothing to do.
bool joinList(const SiteContext& context, SiteTables& tables, const List& list, const std::string& address,
              const std::string& name);
bool leaveList(const SiteContext& context, SiteTables& tables, const List& list, const std::string& address,
               std::string_view by);
// Another address takes the place of a member's. Keys do not follow: they belong to the address.
bool moveMember(const SiteContext& context, SiteTables& tables, const List& list, const std::string& from,
                const std::string& to);

// A member asks to leave where an owner decides.
void askOwnersToLetGo(const SiteContext& context, SiteTables& tables, const List& list, const std::string& address,
                      const std::string& client);

// Tokens. A request by its token, if it is one that was given out for it.
struct OpenedToken {
  SubscriptionRequest request;
  bool oldMailbox = true;
};
std::string requestToken(const SiteContext& context, const SubscriptionRequest& request, bool oldMailbox = true);
std::optional<OpenedToken> requestOfToken(const SiteContext& context, const SiteTables& tables, std::string_view token);

// The long-lived token in the copies of one member: it takes them off the list, and stays good as long as they are on
// it.
std::string oneClickToken(const vault::RootKey& root, const List& list, std::uint64_t memberId,
                          std::string_view address);
struct OneClick {
  List list;
  std::string address;
};
std::optional<OneClick> memberOfOneClick(const SiteContext& context, const SiteTables& tables, std::string_view token);

// Of the public page of a list.
std::string aboutLink(const SiteContext& context, const List& list);
std::optional<List> listOfAboutToken(const SiteContext& context, const SiteTables& tables, std::string_view token);

// Help by mail, at most once a day for address and list.
void mailHelp(const SiteContext& context, SiteTables& tables, const List& list, const Asking& asking);

// "192.0.2.0/24" for an IPv4 address, the /48 of an IPv6 one; empty for anything else.
std::string networkOf(std::string_view client);

// Each minute: ends what is over, and tells owners of what waits.
void lookAfterSubscriptions(SiteContext& context);

}  // namespace postern::listd
