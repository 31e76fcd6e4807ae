#pragma once
#include "listd/orders/OrderTools.h"
#include "listd/pickup/RecipientStore.h"

#include <chrono>
#include <string>
#include <string_view>

// Who picks up: shared by the orders of recipients. They are open to anybody, since recipients have no account of the
// site; the secret of a session that listd made and the browser keeps proves them with each order.
namespace postern::listd::visitor {

inline constexpr std::size_t ShortestPassword = 15;  // NIST SP 800-63B-4: where nothing else is asked

// The name under which guesses and challenges of a recipient are kept: never one of an account.
std::string subjectOf(std::string_view address);
std::string hashOf(std::string_view secret);
// "192.0.2.0/24", "2001:db8:1::/48", "local": enough to see an odd place, not enough to find a person.
std::string networkOf(std::string_view client);

inline constexpr std::chrono::minutes FreshProof{10};

// Makes the session; gives its secret.
std::string openSession(const OrderTools& tools, SiteTables& tables, const OrderCall& call, RecipientSession session);
// The session whose secret the order brings; refused "signed-out" when there is none. Marks it as used and fills the
// order's note. `proven`: a session that has only proven the mailbox will do.
RecipientSession require(const OrderTools& tools, SiteTables& tables, const OrderCall& call);
// Signed in within FreshProof: for what lets somebody in for good (another passkey, a first password).
RecipientSession requireFresh(const OrderTools& tools, SiteTables& tables, const OrderCall& call);
RecipientSession requireProven(const OrderTools& tools, SiteTables& tables, const OrderCall& call);

// What of this person's items may be read now: theirs, waiting, not past its time, newer than a reset or released, and
// where the list wants it, the own question answered in this session.
enum class Reading { Allowed, Gone, Locked, Asks };
Reading readingOf(SiteTables& tables, const RecipientSession& session, const PickupItem& item, TimePoint now);
// The own item of a content; another's or none: refused "not-found" in the same words.
PickupItem requireOwn(SiteTables& tables, const RecipientSession& session, std::uint64_t contentId);
PickupItem requireReadable(const OrderTools& tools, SiteTables& tables, const RecipientSession& session,
                           std::uint64_t contentId);

void note(const OrderCall& call, const RecipientSession& session);

}  // namespace postern::listd::visitor
