#pragma once
#include "core/base/Clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct SiteTables;

// Mail that the site itself writes to people: content-free, with a link behind which the content is. Its shapes are
// fixed (core/app/texts), so that the gateway's floor guard can know them: a kind, numbers and a link, never text that
// somebody typed.
struct SiteMail {
  enum class Kind {    // lines that it needs
    HoldNotice,        // none. "You have been asked to keep mail": link to the notice
    HoldReminder,      // none. The same, again
    ApprovalsWaiting,  // {how many}; weekly, with a link to the work queue
    LonePersonChange,  // {kind of the request, its id, time of effect}; to the outside address, link to stop it
    OnePersonSite,     // {number of the request, time of effect}; to all who work on a site that will have one person
    AuditAnchor,       // the lines of the signed checkpoint (origin, size, root, "", "— name signature"); no link
    Invitation,        // {time it ends}; link that makes an account or gives it back, from sealLink()
    KeyConfirm,        // none. A key came for the address: link to confirm it
    KeyUnfit,          // none. A key that came for the address cannot be used: link to why, and to give another
    KeyPage,           // none. Link to the page of the member's keys
    BreakGlass,        // {time}; the sealed emergency account was opened; link to the accounts
    ContentAccess,     // {time}; to an owner: staff read mail of a list; link to the lists
    PickupLink,        // {time it ends}; proves a mailbox for pick-up, from sealLink()
    PickupProblem,     // {time}; a recipient of pick-up reported a problem; link to the item
    KeyEnding,         // {time it ends, time the link ends}; link to the page where a new key can be given
    ListKeys,          // {address of a list, its certificates as PEM, its OpenPGP key as armor}; no link
    OwnerWork,         // {keys that wait, members without a copy, keys that end}; weekly, link to the work list
    // Of subscription. {list}: its address
    JoinConfirm,       // {list, where an answer confirms, time it ends}; link to the same
    LeaveConfirm,      // the same
    AddressConfirm,    // {list, time it ends}; to both addresses of a change
    ListInvitation,    // {list, time it ends}
    Joined,            // {list}; link to its public page
    Left,              // {list}
    RequestRefused,    // {list}; link to the reason
    RequestsWaiting,   // {how many}; to owners, link to the page
    ListHelp,          // {list, where commands go}; link to its public page
    MemberLink,        // {list, time it ends}; link to the settings of a membership
    Quarantine,        // {held messages of one's lists, those that end within three days}; daily, link to the page
    JoinedWithoutKey,  // {list, its address for requests}; the same link
  };
  Kind kind = Kind::HoldNotice;
  std::string recipient;
  std::string link;                // https://HOST[:PORT]/path/TOKEN or …?token=TOKEN; empty where there is none
  std::vector<std::string> lines;  // times as formatRfc3339() gives them
  std::string language = {};       // one of Languages; empty: the site's
};

std::string withLineFeeds(std::string text);  // as lines hold blocks of text: without CR

// Puts mail into the outbox, in the caller's transaction; a worker hands it to the gateway as copies of kind Notice,
// once, also across crashes. Returns the copy key. Throws Error(Invariant) when the mail has not the shape of its kind.
std::uint64_t sendSiteMail(SiteTables& tables, const SiteMail& mail, TimePoint now);

const char* siteMailWord(SiteMail::Kind kind);  // "hold-notice" "hold-reminder" "approvals-waiting" …
std::optional<SiteMail::Kind> siteMailKind(std::string_view word);

// Why the mail has not the shape of its kind; nothing: it has.
std::optional<std::string> siteMailFault(const SiteMail& mail);

// The whole message (CRLF). REQUIRES the right shape.
std::string composeSiteMail(const SiteMail& mail, std::string_view hostName, std::string_view messageId, TimePoint at);

}  // namespace postern::listd
