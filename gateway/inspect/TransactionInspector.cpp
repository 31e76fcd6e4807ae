#include "gateway/inspect/TransactionInspector.h"

#include "core/base/Log.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"

#include <algorithm>
#include <vector>

namespace postern::gateway {

namespace {

using policy::VerdictKind;
using smtp::makeReply;
using smtp::ReplyId;

policy::RecipientFacts recipientFacts(const TransactionRecipient& recipient) {
  if (recipient.route.role == app::RoutedAddress::Role::Outbound) return {recipient.address.text(), {}, false};
  return {recipient.address.text(), recipient.route.listName, recipient.route.secure};
}

policy::TransactionFacts transactionFacts(const InspectionFacts& facts, std::uint64_t size) {
  policy::TransactionFacts result;
  result.client.address = facts.client.address;
  result.client.name = facts.client.name;
  if (!facts.tls.version.empty())
    result.client.tls = policy::TlsFacts{facts.tls.version, facts.tls.cipher, facts.tls.bits, facts.tls.verification};
  result.helo = facts.helo;
  result.mailFrom = facts.transaction.mailFrom();
  for (const auto& recipient : facts.transaction.recipients) result.recipients.push_back(recipientFacts(recipient));
  result.size = size;
  return result;
}

policy::MessageFacts messageFacts(const mail::Message& message, const mail::MimeTree& tree) {
  policy::MessageFacts result;
  result.subject = message.subject();
  for (const auto& field : message.header().fields())
    result.headers.push_back(
        {std::string(field.name), mail::decodeUnstructured(field.value), std::string(field.value)});
  if (const auto from = message.from(); from.wellFormed && from.mailboxes.size() == 1 && from.mailboxes[0].address)
    result.from = from.mailboxes[0].address->text();
  result.size = message.bytes().size();
  result.messageId = message.messageId().value_or("");
  result.isEncrypted = tree.isEncrypted();
  result.isSigned = tree.isSigned();
  return result;
}

// What makes a message one that two readers could understand differently; empty if nothing does. A header without
// body needs no empty line (RFC 5322 §3.5).
std::string whatIsAmbiguous(const mail::Message& message, const mail::MimeTree& tree) {
  for (const auto& finding : message.header().findings()) {
    if (finding.defect == mail::HeaderDefect::NoEnd) continue;
    std::string text = mail::headerDefectText(finding.defect);
    return finding.field.empty() ? text : text + ": " + finding.field;
  }
  return tree.ambiguities().empty() ? std::string() : mail::ambiguityText(tree.ambiguities().front());
}

bool isForBouncesOnly(const Transaction& transaction) {
  return std::all_of(transaction.recipients.begin(), transaction.recipients.end(), [](const TransactionRecipient& one) {
    return one.route.role == app::RoutedAddress::Role::Bounces;
  });
}

// All recipients of a transaction are elsewhere, or none (verbs/Rcpt.cpp).
bool isOutbound(const Transaction& transaction) {
  return std::any_of(transaction.recipients.begin(), transaction.recipients.end(), [](const TransactionRecipient& one) {
    return one.route.role == app::RoutedAddress::Role::Outbound;
  });
}

bool isToBeProtected(const MessageDecision& decision) {
  return std::any_of(decision.notes.begin(), decision.notes.end(), [](const auto& note) {
    return !note.second.empty() && (note.first == "tagged" || (note.first == "protect" && note.second != "none"));
  });
}

constexpr std::string_view NotMarked =
    "this way out takes protected mail only, and the subject does not mark this message. To send it protected, put "
    "Secure: (with the colon) or [encrypt] (just so, in brackets) into the subject.";
constexpr std::string_view NearlyMarked =
    "the subject nearly marks this message as secure, but not quite, so it was not sent. Put Secure: (with the colon) "
    "or "
    "[encrypt] (just so, in brackets) into the subject, and send it again.";
constexpr std::string_view WrongAuthor = "From must name one author, in the domain of the envelope sender.";

// The author probably meant a mark: "Secure;", "[encrypted]", "encrypt:".
bool isNearMiss(std::string_view subject) {
  const auto lower = mail::lowerAscii(subject);
  return lower.find("secure") != lower.npos || lower.find("encrypt") != lower.npos;
}

Refusal malformed(const std::string& what) {
  return {makeReply(ReplyId::MalformedMessage, {what}), "malformed", {}};
}

Refusal broken(const policy::Failure& failure) {
  return {makeReply(ReplyId::PolicyBroken), "policy-broken", failure.policy};
}

// "<a@x>, <b@x>: why" for each reason, since a thousand recipients are mostly refused for one.
struct ReasonGroup {
  std::string text;
  std::string recipients;
};

std::vector<ReasonGroup> groupByText(const Transaction& transaction, const std::vector<policy::Verdict>& verdicts,
                                     VerdictKind kind) {
  std::vector<ReasonGroup> groups;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].kind != kind) continue;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const ReasonGroup& known) { return known.text == verdicts[i].text; });
    if (group == groups.end()) group = groups.insert(groups.end(), ReasonGroup{verdicts[i].text, {}});
    if (!group->recipients.empty()) group->recipients += ", ";
    group->recipients += "<" + transaction.recipients[i].address.text() + ">";
  }
  return groups;
}

Refusal refuse(const Transaction& transaction, const std::vector<policy::Verdict>& verdicts, VerdictKind kind,
               ReplyId id) {
  const auto first = std::find_if(verdicts.begin(), verdicts.end(), [&](const auto& one) { return one.kind == kind; });
  Refusal refusal{makeReply(id), first->reason, first->policy};
  for (const auto& group : groupByText(transaction, verdicts, kind))
    refusal.reply.line(group.recipients + ": " + (group.text.empty() ? "refused by policy" : group.text));
  return refusal;
}

// What this release cannot do is done by nobody, so the message must not pass as if it were done.
std::vector<policy::Verdict> withoutUnsupported(std::vector<policy::Verdict> verdicts) {
  for (auto& verdict : verdicts) {
    if (verdict.kind != VerdictKind::Hold && verdict.kind != VerdictKind::Redirect) continue;
    log::warning("inspect", "a policy asks for what this release cannot do; the message is deferred",
                 {{"policy", verdict.policy}, {"verdict", policy::wordFor(verdict.kind)}, {"reason", verdict.reason}});
    verdict.reason = policy::wordFor(verdict.kind) + "-not-available";
    verdict.kind = VerdictKind::Defer;
    verdict.text = "deferred by policy";
  }
  return verdicts;
}

}  // namespace

std::optional<Refusal> TransactionInspector::recipient(const InspectionFacts& facts,
                                                       const TransactionRecipient& candidate) {
  const auto outcome =
      policies_.rcpt(transactionFacts(facts, facts.transaction.declaredSize), recipientFacts(candidate));
  if (!outcome) return broken(outcome.error());
  switch (outcome->kind) {
    case VerdictKind::Pass:
    case VerdictKind::Accept:
      return std::nullopt;
    case VerdictKind::Reject:
    case VerdictKind::Defer: {
      auto reply = makeReply(outcome->kind == VerdictKind::Reject ? ReplyId::RecipientRefused : ReplyId::PolicyDeferred,
                             {outcome->text});
      reply.code = outcome->code;
      reply.enhanced = outcome->enhanced;
      return Refusal{std::move(reply), outcome->reason, outcome->policy};
    }
    case VerdictKind::Discard:
    case VerdictKind::Hold:
    case VerdictKind::Redirect:
      break;
  }
  log::error("inspect", "a policy gave a verdict that RCPT cannot have", {{"policy", outcome->policy}});
  return Refusal{makeReply(ReplyId::PolicyBroken), "policy-broken", outcome->policy};
}

MessageDecision TransactionInspector::message(const InspectionFacts& facts, std::string_view content) {
  MessageDecision decision;
  const auto message = mail::Message::parse(std::string(content), InspectedHeader);
  if (!message) {
    decision.refusal = malformed("the header is too large");
    return decision;
  }
  const auto tree = mail::MimeTree::parse(*message);
  if (const auto what = whatIsAmbiguous(*message, tree); !what.empty() && !isForBouncesOnly(facts.transaction)) {
    decision.refusal = malformed(what);
    return decision;
  }
  const auto described = messageFacts(*message, tree);
  const auto outcome = policies_.message(transactionFacts(facts, content.size()), described);
  if (!outcome) {
    decision.refusal = broken(outcome.error());
    return decision;
  }
  if (outcome->recipients.size() != facts.transaction.recipients.size()) {
    log::error("inspect", "the policies did not judge each recipient");
    decision.refusal = Refusal{makeReply(ReplyId::PolicyBroken), "policy-broken", {}};
    return decision;
  }
  decision = combine(facts, *outcome);
  if (!decision.refusal) decision.refusal = refuseOutbound(facts, described, decision);
  if (!decision.refusal && isOutbound(facts.transaction))
    decision.notes.emplace_back(app::OutboundNote, facts.transaction.recipients.front().route.listName);
  return decision;
}

MessageDecision TransactionInspector::combine(const InspectionFacts& facts,
                                              const policy::MessageVerdicts& given) const {
  const auto verdicts = withoutUnsupported(given.recipients);
  const auto any = [&](VerdictKind kind) {
    return std::any_of(verdicts.begin(), verdicts.end(), [kind](const auto& one) { return one.kind == kind; });
  };
  MessageDecision decision;
  if (any(VerdictKind::Reject)) {
    decision.refusal = refuse(facts.transaction, verdicts, VerdictKind::Reject, ReplyId::MessageRefused);
    if (const auto link = directory_.helpLink(); !link.empty()) decision.refusal->reply.line("help: " + link);
    return decision;
  }
  if (any(VerdictKind::Defer)) {
    decision.refusal = refuse(facts.transaction, verdicts, VerdictKind::Defer, ReplyId::MessageDeferred);
    return decision;
  }
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (verdicts[i].kind == VerdictKind::Discard) decision.discarded.push_back(i);
  for (const auto& note : given.notes)
    if (note.key != app::OutboundNote) decision.notes.emplace_back(note.key, note.value);
  return decision;
}

std::optional<Refusal> TransactionInspector::refuseOutbound(const InspectionFacts& facts,
                                                            const policy::MessageFacts& message,
                                                            const MessageDecision& decision) const {
  if (!isOutbound(facts.transaction)) return std::nullopt;
  const auto from = mail::Address::parse(message.from);
  const auto& sender = facts.transaction.from;
  const bool authorFits = from && sender && from->domain() == sender->domain();
  if (authorFits && isToBeProtected(decision)) return std::nullopt;
  const bool near = isNearMiss(message.subject);
  Refusal refusal{makeReply(ReplyId::MessageRefused),
                  !authorFits ? "wrong-author"
                  : near      ? "nearly-marked"
                              : "not-marked",
                  {}};
  refusal.reply.line(std::string(!authorFits ? WrongAuthor : near ? NearlyMarked : NotMarked));
  if (const auto link = directory_.helpLink(); !link.empty()) refusal.reply.line("help: " + link);
  return refusal;
}

}  // namespace postern::gateway
