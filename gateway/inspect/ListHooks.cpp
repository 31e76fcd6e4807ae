#include "gateway/inspect/ListHooks.h"

#include "core/base/Log.h"

namespace postern::gateway {

namespace {

using policy::VerdictKind;

policy::PostFacts factsOf(const app::PostQuestion& question) {
  policy::PostFacts facts;
  facts.author = question.author;
  facts.mailFrom = question.mailFrom;
  facts.subject = question.subject;
  facts.messageId = question.messageId;
  facts.size = question.size;
  facts.isEncrypted = question.encrypted;
  facts.isSigned = question.isSigned;
  facts.authorIsMember = question.authorIsMember;
  facts.proven = question.proven;
  facts.released = question.released;
  facts.notes = question.notes;
  facts.list = {question.list,        question.listName,    question.secure,
                question.sensitivity, question.anyonePosts, question.members};
  return facts;
}

// "smime" as Protection::Smime; a word that is not known asks for the strongest.
app::Protection protectionOf(const policy::Verdict& verdict) {
  if (verdict.kind != VerdictKind::Protect) return app::Protection::None;
  for (const auto protection : {app::Protection::Tls, app::Protection::Pickup, app::Protection::OpenPgp})
    if (verdict.protection == app::protectionName(protection)) return protection;
  return app::Protection::Smime;
}

std::string sentenceOf(const policy::Failure& failure) {
  return "the policies failed (" + policy::wordFor(failure.kind) +
         (failure.policy.empty() ? "" : ", " + failure.policy) + "): " + failure.detail;
}

}  // namespace

std::uint16_t activeListHooks(const policy::PolicyHost& policies) {
  std::uint16_t hooks = 0;
  if (policies.asks(policy::Hook::Post)) hooks = static_cast<std::uint16_t>(hooks | app::ListHook::Post);
  if (policies.asks(policy::Hook::Member)) hooks = static_cast<std::uint16_t>(hooks | app::ListHook::Member);
  return hooks;
}

app::PostAnswer judgePost(policy::PolicyHost& policies, const app::PostQuestion& question) {
  using Kind = app::PostAnswer::Kind;
  const auto outcome = policies.post(factsOf(question));
  if (!outcome) return {Kind::Failed, "policy-broken", outcome.error().policy, sentenceOf(outcome.error()), {}};
  app::PostAnswer answer{Kind::Failed, outcome->reason, outcome->policy, outcome->text, protectionOf(*outcome)};
  switch (outcome->kind) {
    case VerdictKind::Pass:
    case VerdictKind::Accept:
    case VerdictKind::Protect:
      answer.kind = Kind::Pass;
      return answer;
    case VerdictKind::Reject:
      answer.kind = Kind::Reject;
      return answer;
    case VerdictKind::Hold:
      answer.kind = Kind::Hold;
      return answer;
    case VerdictKind::Discard:
      answer.kind = Kind::Discard;
      return answer;
    default:
      log::error("inspect", "a policy gave a verdict that a post cannot have", {{"policy", outcome->policy}});
      return answer;
  }
}

app::MembersAnswer judgeMembers(policy::PolicyHost& policies, const app::MembersQuestion& question) {
  std::vector<policy::MemberFacts> members;
  members.reserve(question.members.size());
  for (const auto& address : question.members) members.push_back({address});
  const auto outcome = policies.members(factsOf(question.post), members);
  if (!outcome) return {true, sentenceOf(outcome.error()), {}};
  app::MembersAnswer answer{false, {}, {}};
  for (const auto& verdict : outcome->recipients) answer.floors.push_back(protectionOf(verdict));
  return answer;
}

}  // namespace postern::gateway
