#pragma once
#include "core/app/GatewayLink.h"
#include "core/mail/Message.h"
#include "listd/compose/ListFacts.h"
#include "listd/compose/Notice.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// What the list does with a post that the gateway accepted.
struct PostingRuling {
  enum class Verdict { Accept, Reject, Ignore };
  Verdict verdict = Verdict::Ignore;
  std::string
      reason;  // stable word, empty when accepted: "not-a-member", "closed", "malformed", "secure-tag", "own-list-id" …
  std::optional<RejectReason> report;                   // what the author is told of a rejection
  bool automatic = false;                               // no person wrote it, so no report about it may go out
  std::optional<app::Protection> floor = std::nullopt;  // what a policy asks for at least; it only ever strengthens
  bool wantsPlan = false;  // the author asks for the plan's counts, and mail to the envelope sender goes to the author
};
const char* verdictWord(PostingRuling::Verdict verdict);  // "accepted" "rejected" "ignored"

// The reason of a post that a policy refuses for this list.
inline constexpr std::string_view PolicyRefused = "policy-refused";

// What of the list's settings decides.
struct PostingSettings {
  bool open = true;  // takes posts at all
  bool anyonePosts = false;
  std::size_t maxHops = 50;
};

// Who may post: a person (no loop, no machine), with exactly one author, who is an enabled member or posts to a list
// that takes everyone. A post that the gateway noted as asking for protection never passes an open list: the policy
// refuses it at the door already, and this holds when the policy is switched off or broken.
// `isMember` is asked with the address in lower case.
PostingRuling judgePost(const mail::Message& post, const app::Submission& submission, const ListFacts& list,
                        const PostingSettings& settings, const std::function<bool(const std::string&)>& isMember);

// The floor that policies asked for, if any.
std::optional<app::Protection> requestedFloor(const app::Submission& submission);

}  // namespace postern::listd
