#include "listd/plan/PostingRule.h"

#include "core/base/Error.h"
#include "core/mail/Text.h"
#include "listd/compose/LoopGuard.h"
#include "listd/compose/PostComposer.h"
#include "listd/plan/LadderRules.h"

#include <algorithm>

namespace postern::listd {
namespace {

using Verdict = PostingRuling::Verdict;

PostingRuling reject(std::string reason, RejectReason report) {
  return {Verdict::Reject, std::move(reason), report, false};
}

// By the note of the policy secure_tag. The gateway refuses such mail for open lists; where another policy let it in,
// this is the last one to say no.
bool asksForProtection(const app::Submission& submission) {
  return std::any_of(submission.notes.begin(), submission.notes.end(),
                     [](const auto& note) { return note.first == "tagged" && !note.second.empty(); });
}

// "Postern-Plan: yes". The counts go to the envelope sender, which anybody can write, so it must be the author.
bool wantsPlan(const mail::Message& post, const app::Submission& submission, const mail::Address& author) {
  const auto* wish = post.header().find("Postern-Plan");
  if (wish == nullptr || !mail::equalsIgnoreCase(mail::trim(wish->value), "yes")) return false;
  const auto sender = mail::Address::parse(submission.mailFrom);
  return sender && sender->key() == author.key();
}

// Composing is what decides whether two readers may see two messages; better now than when copies are due.
bool composes(const mail::Message& post, const ListFacts& list) {
  const PostComposer composer(list);
  const PostStamp stamp{"<plan@" + list.address.domain() + ">", TimePoint{}};
  return list.secure ? composer.composeSecure(post, stamp).has_value() : composer.composeOpen(post, stamp).has_value();
}

}  // namespace

// By the note "protect" of a policy. A word that is not known asks for the strongest: it was written to protect.
std::optional<app::Protection> requestedFloor(const app::Submission& submission) {
  std::optional<app::Protection> floor;
  for (const auto& [name, value] : submission.notes)
    if (name == "protect")
      floor = std::max(floor.value_or(app::Protection::None), parseProtection(value).value_or(app::Protection::Smime));
  return floor;
}

const char* verdictWord(Verdict verdict) {
  switch (verdict) {
    case Verdict::Accept:
      return "accepted";
    case Verdict::Reject:
      return "rejected";
    case Verdict::Ignore:
      return "ignored";
  }
  throw Error(ErrorKind::Invariant, "a ruling has an unknown verdict");
}

PostingRuling judgePost(const mail::Message& post, const app::Submission& submission, const ListFacts& list,
                        const PostingSettings& settings, const std::function<bool(const std::string&)>& isMember) {
  LoopLimits limits;
  limits.maxHops = settings.maxHops;
  if (const auto loop = findLoop(post, submission.mailFrom, list, limits))
    return {Verdict::Ignore, loopReasonName(*loop), std::nullopt, true};
  if (!settings.open) return reject("closed", RejectReason::Closed);
  const bool protect = requestedFloor(submission).value_or(app::Protection::None) != app::Protection::None;
  if (!list.secure && (asksForProtection(submission) || protect)) return reject("secure-tag", RejectReason::Malformed);

  const auto from = post.from();
  const bool oneFrom = post.header().count("From") == 1 && from.wellFormed && from.mailboxes.size() == 1 &&
                       from.mailboxes.front().address.has_value();
  if (!oneFrom) return reject("malformed", RejectReason::Malformed);
  // Before the roster is asked: a forged From and a message that cannot go out must not tell who is a member.
  if (!composes(post, list)) return reject("malformed", RejectReason::Malformed);
  if (!settings.anyonePosts && !isMember(from.mailboxes.front().address->key()))
    return reject("not-a-member", RejectReason::NotAMember);
  const auto& author = *from.mailboxes.front().address;
  return {Verdict::Accept, {}, std::nullopt, false, requestedFloor(submission), wantsPlan(post, submission, author)};
}

}  // namespace postern::listd
