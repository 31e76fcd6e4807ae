#pragma once
#include "core/base/Clock.h"
#include "listd/compose/ListFacts.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Mail that Postern writes itself. None of these functions is given a post, so none can quote one.
// The results are whole messages (CRLF) in plain English, marked Auto-Submitted; send them with the null sender.
namespace postern::listd {

// Why a member got no copy.
enum class WithheldReason {
  NoKey,  // no certificate or key on file
  KeyExpired,
  KeyNotYetValid,
  KeyRevoked,
  KeyNotConfirmed,  // one was proposed, nobody confirmed it
  KeyUnfit,         // wrong address, wrong purpose, too weak, untrusted issuer
  SealingFailed,    // something broke on our side
  TlsUnfit,         // the servers of the member's domain cannot be verified, or do not count
  NotAllowed,       // what the member has is not what the list allows
  Wish,             // the member asked for more than can be had
};
const char* withheldReasonName(WithheldReason reason);  // stable word: "no-key", "key-expired", …

// Date and id of a mail of ours.
struct NoticeStamp {
  std::string messageId;
  TimePoint at;
};

// To a member whose copy of a post is withheld.
std::string withheldNotice(const ListFacts& list, const mail::Address& member, WithheldReason reason,
                           const NoticeStamp& stamp);

// How the copies of a post fared.
struct DeliveryCounts {
  std::uint64_t delivered = 0;
  std::uint64_t delayed = 0;
  std::uint64_t withheld = 0;
  std::uint64_t failed = 0;
};

struct ReportFacts {
  std::string reportingHost;  // our host name
  std::string queueId;        // what the 250 to the author's server said
  TimePoint arrivedAt;
  DeliveryCounts counts;
};

// To the author of a post: RFC 3464 multipart/report. It speaks of the list and of numbers, never of a member.
// One machine-readable recipient block: the list, with the worst outcome (failed, delayed or delivered).
std::string deliveryReport(const ListFacts& list, const mail::Address& author, const ReportFacts& facts,
                           const NoticeStamp& stamp);

// Who did not get domain mail, and why. Its author named them, so the report may, too.
struct FailedRecipient {
  std::string address;
  bool heldBack = false;  // it could not be protected; else a server refused it or none took it in time
  std::string status;     // RFC 3463, or empty: no server took it in time
};

// To the author of domain mail: RFC 3464, one block for each recipient who has not got it. Nothing of the mail, and so
// nothing of what servers said: they may quote a subject. The ledger has it.
std::string failureReport(const ListFacts& list, const mail::Address& author, const ReportFacts& facts,
                          const std::vector<FailedRecipient>& failed, const NoticeStamp& stamp);

// To the author: how the copies of a post are protected, in numbers. `counts`: by the word of the protection.
std::string planNotice(const ListFacts& list, const mail::Address& author,
                       const std::map<std::string, std::uint64_t>& counts, const NoticeStamp& stamp);

// To the author whose post the list does not take, as far as it was not refused in the SMTP session.
enum class RejectReason { NotAMember, Malformed, Closed, TooLarge, Unreadable, Policy };
std::string rejectionNotice(const ListFacts& list, const mail::Address& author, RejectReason reason,
                            const NoticeStamp& stamp);

}  // namespace postern::listd
