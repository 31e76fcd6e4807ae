#include "gateway/inspect/TransactionInspector.h"

#include "core/app/TraceId.h"
#include "core/base/Log.h"
#include "core/mail/Date.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "core/policy/MailFacts.h"

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

policy::TransactionFacts plainFacts(const InspectionFacts& facts, std::uint64_t size) {
  policy::TransactionFacts result;
  result.client.address = facts.client.address;
  result.client.name = facts.client.name;
  if (!facts.tls.version.empty())
    result.client.tls = policy::TlsFacts{facts.tls.version, facts.tls.cipher, facts.tls.bits, facts.tls.verification};
  result.helo = facts.helo;
  result.mailFrom = facts.transaction.mailFrom();
  for (const auto& recipient : facts.transaction.recipients) result.recipients.push_back(recipientFacts(recipient));
  result.size = size;
  result.trace = facts.queueId;
  result.trial = facts.trial;
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

// What a verdict means before the content is there: Pass, Accept, Reject and Defer; nothing else is open.
std::optional<Refusal> refusalBeforeContent(const policy::Verdict& verdict) {
  switch (verdict.kind) {
    case VerdictKind::Pass:
    case VerdictKind::Accept:
      return std::nullopt;
    case VerdictKind::Reject:
    case VerdictKind::Defer: {
      auto reply = makeReply(verdict.kind == VerdictKind::Reject ? ReplyId::RecipientRefused : ReplyId::PolicyDeferred,
                             {verdict.text});
      reply.code = verdict.code;
      reply.enhanced = verdict.enhanced;
      return Refusal{std::move(reply), verdict.reason, verdict.policy};
    }
    case VerdictKind::Discard:
    case VerdictKind::Hold:
    case VerdictKind::Redirect:
    case VerdictKind::Protect:
    case VerdictKind::Route:
      break;
  }
  log::error("inspect", "a policy gave a verdict that a session cannot have", {{"policy", verdict.policy}});
  return Refusal{makeReply(ReplyId::PolicyBroken), "policy-broken", verdict.policy};
}

void noteSender(const mailauth::Authentication& results, MessageDecision& decision) {
  decision.notes.emplace_back(app::SenderCheckNote, results.sentence());
  decision.notes.emplace_back(app::SenderProvenNote, results.authorProven() ? "yes"
                                                     : results.undecided()  ? "unknown"
                                                                            : "no");
}

// Fields that a mail program may leave to us, to be put before the header.
std::string missingFields(const InspectionFacts& facts, std::string_view content) {
  const auto message = mail::Message::parse(std::string(content), InspectedHeader);
  if (!message) return {};
  const auto has = [&](std::string_view name) {
    const auto& fields = message->header().fields();
    return std::any_of(fields.begin(), fields.end(),
                       [name](const auto& field) { return mail::equalsIgnoreCase(field.name, name); });
  };
  std::string fields;
  if (!has("Date")) fields += "Date: " + mail::formatDate(facts.transaction.startedAt) + "\r\n";
  if (!has("Message-ID"))
    fields += "Message-ID: <" + app::newTraceId() + "@" +
              facts.person->address.substr(facts.person->address.rfind('@') + 1) + ">\r\n";
  return fields;
}

bool writesAs(const mail::Message& message, const app::SignedIn& person) {
  const auto own = mail::Address::parse(person.address);
  const auto names = [&](const mail::MailboxList& list) {
    return own && list.wellFormed && list.mailboxes.size() == 1 && list.mailboxes[0].address &&
           list.mailboxes[0].address->key() == own->key();
  };
  if (!names(message.from())) return false;
  return std::all_of(message.header().fields().begin(), message.header().fields().end(), [&](const auto& field) {
    if (mail::equalsIgnoreCase(field.name.substr(0, 7), "Resent-")) return false;
    return !mail::equalsIgnoreCase(field.name, "Sender") || names(mail::parseMailboxes(field.value));
  });
}

Refusal refuseListed(const std::string& client, const policy::ReputationFacts& reputation) {
  std::string zones;
  for (const auto& zone : reputation.zones) zones += (zones.empty() ? "" : ", ") + zone;
  return {makeReply(ReplyId::ClientListed, {client + " is listed by " + zones}), "dnsbl", {}};
}

// Words of the gateway's own, that listd acts on: no policy writes them.
bool isOwnNote(std::string_view key) {
  return key == app::OutboundNote || key == app::RequireTlsNote || key == app::SpamNote || key == app::QuarantineNote ||
         key.starts_with("sender-");
}

// What was found out of the sender when the message came, as far as it was written down.
std::optional<policy::AuthenticationFacts> rememberedSender(const app::Submission& submission,
                                                            const policy::MessageFacts& message,
                                                            const Directory& directory) {
  const auto note = std::find_if(submission.notes.begin(), submission.notes.end(),
                                 [](const auto& one) { return one.first == app::SenderProvenNote; });
  if (note == submission.notes.end()) return std::nullopt;
  policy::AuthenticationFacts facts;
  facts.spf = facts.dkim = facts.dmarc = facts.arc = facts.policy = "none";
  facts.domain = message.from.substr(std::min(message.from.rfind('@') + 1, message.from.size()));
  facts.proven = note->second == "yes";
  facts.undecided = note->second == "unknown";
  facts.ownDomain = !facts.domain.empty() && directory.isLocalDomain(facts.domain);
  return facts;
}

void discardAll(const Transaction& transaction, MessageDecision& decision) {
  decision.discarded.clear();
  for (std::size_t i = 0; i < transaction.recipients.size(); ++i) decision.discarded.push_back(i);
}

// What this release cannot do is done by nobody, so the message must not pass as if it were done.
std::vector<policy::Verdict> withoutUnsupported(std::vector<policy::Verdict> verdicts) {
  for (auto& verdict : verdicts) {
    if (verdict.kind != VerdictKind::Redirect) continue;
    log::warning("inspect", "a policy asks for what this release cannot do; the message is deferred",
                 {{"policy", verdict.policy}, {"verdict", policy::wordFor(verdict.kind)}, {"reason", verdict.reason}});
    verdict.reason = policy::wordFor(verdict.kind) + "-not-available";
    verdict.kind = VerdictKind::Defer;
    verdict.text = "deferred by policy";
  }
  return verdicts;
}

}  // namespace

policy::TransactionFacts TransactionInspector::transactionFacts(const InspectionFacts& facts,
                                                                std::uint64_t size) const {
  auto result = plainFacts(facts, size);
  const bool exempt = dnsbl_ == nullptr || facts.writtenHere || facts.person || directory_.isRelay(facts.client);
  if (!exempt) result.client.reputation = dnsbl_->look(facts.client.address);
  return result;
}

policy::TransactionFacts TransactionInspector::sessionFactsOf(const InspectionFacts& facts, bool lookUp) const {
  const auto size = facts.transaction.declaredSize;
  return lookUp ? transactionFacts(facts, size) : plainFacts(facts, size);
}

RecipientQuestion TransactionInspector::questionOf(const InspectionFacts& facts, const TransactionRecipient& candidate,
                                                   bool lookUp) const {
  return {sessionFactsOf(facts, lookUp), recipientFacts(candidate)};
}

Result<MessageQuestion, std::string> TransactionInspector::questionOf(const InspectionFacts& facts,
                                                                      const app::Submission& submission,
                                                                      bool lookUp) const {
  auto parsed = mail::Message::parse(submission.content, InspectedHeader);
  if (!parsed) return Unexpected(std::string("the header is too large"));
  const auto message = std::make_shared<const mail::Message>(std::move(*parsed));
  const auto tree = std::make_shared<const mail::MimeTree>(mail::MimeTree::parse(*message));
  if (auto what = whatIsAmbiguous(*message, *tree); !what.empty()) return Unexpected(std::move(what));
  const auto size = submission.content.size();
  MessageQuestion question{lookUp ? transactionFacts(facts, size) : plainFacts(facts, size),
                           policy::describeMessage(*message, *tree)};
  question.message.content = [message, tree] { return policy::describeContent(*tree); };
  if (!lookUp) {
    question.message.authentication = rememberedSender(submission, question.message, directory_);
  } else if (const auto senders = checks_ ? checks_->check(facts, *message) : std::nullopt) {
    question.message.authentication = checks_->described(*senders);
  }
  return question;
}

std::optional<Refusal> TransactionInspector::recipient(const InspectionFacts& facts,
                                                       const TransactionRecipient& candidate) {
  const auto described = transactionFacts(facts, facts.transaction.declaredSize);
  if (const auto& reputation = described.client.reputation;
      reputation && dnsblReject_ > 0 && reputation->score >= static_cast<int>(dnsblReject_))
    return refuseListed(facts.client.address, *reputation);
  const auto outcome = policies_.rcpt(described, recipientFacts(candidate));
  return outcome ? refusalBeforeContent(*outcome) : broken(outcome.error());
}

// The words of a greeting and of AUTH have codes of their own (RFC 5321 §3.1, RFC 4954 §6).
std::optional<Refusal> TransactionInspector::session(policy::Hook hook, const InspectionFacts& facts) {
  const policy::UserFacts user =
      facts.person ? policy::UserFacts{facts.person->account, facts.person->address} : policy::UserFacts{};
  const auto outcome = policies_.session(hook, transactionFacts(facts, facts.transaction.declaredSize), user);
  auto refusal = outcome ? refusalBeforeContent(*outcome) : broken(outcome.error());
  if (!refusal) return refusal;
  const bool later = refusal->reply.code < 500;
  if (hook == policy::Hook::Connect) refusal->reply.code = later ? 421 : 554;
  if (hook == policy::Hook::Auth) refusal->reply.code = later ? 454 : 535;
  return refusal;
}

MessageDecision TransactionInspector::message(const InspectionFacts& facts, std::string_view content) {
  if (!facts.person) return judgeWhole(facts, content);
  const auto missing = missingFields(facts, content);
  if (missing.empty()) return judgeWhole(facts, content);
  auto completed = missing + std::string(content);
  auto decision = judgeWhole(facts, completed);
  if (!decision.refusal && !decision.content) decision.content = std::move(completed);
  return decision;
}

MessageDecision TransactionInspector::judgeWhole(const InspectionFacts& facts, std::string_view content) {
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
  if (facts.person && !writesAs(*message, *facts.person)) {
    decision.refusal = Refusal{makeReply(ReplyId::NotYourAddress, {facts.person->address}), "not-your-address", {}};
    return decision;
  }
  if (companions_ == nullptr || isForBouncesOnly(facts.transaction)) {
    CompanionFindings none;
    return judge(facts, *message, tree, none);
  }
  auto findings = companions_->check(facts, *message);
  if (findings.refusal) {
    decision.refusal = std::move(findings.refusal);
    return decision;
  }
  if (!findings.content) return judge(facts, *message, tree, findings);
  if (const auto changed = mail::Message::parse(*findings.content, InspectedHeader)) {
    const auto changedTree = mail::MimeTree::parse(*changed);
    if (whatIsAmbiguous(*changed, changedTree).empty()) return judge(facts, *changed, changedTree, findings);
  }
  log::error("inspect", "a milter makes of a message what two readers could understand differently");
  decision.refusal = Refusal{makeReply(ReplyId::CompanionBroken), "milter-unavailable", {}};
  return decision;
}

MessageDecision TransactionInspector::judge(const InspectionFacts& facts, const mail::Message& message,
                                            const mail::MimeTree& tree, CompanionFindings& findings) {
  MessageDecision decision;
  auto described = policy::describeMessage(message, tree);
  described.whole = message.bytes();
  described.spam = findings.spam;
  const auto senders = checks_ && !facts.person ? checks_->check(facts, message) : std::nullopt;
  if (senders) described.authentication = checks_->described(*senders);
  const auto outcome = policies_.message(transactionFacts(facts, message.bytes().size()), described);
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
  if (senders) noteSender(*senders, decision);
  for (auto& note : findings.notes) decision.notes.push_back(std::move(note));
  if (findings.spam && !decision.refusal) treatSpam(facts, *outcome, *findings.spam, decision);
  if (findings.hold && !decision.refusal) hold(facts, "milter " + *findings.hold, decision);
  if (findings.discarded && !decision.refusal) discardAll(facts.transaction, decision);
  decision.content = std::move(findings.content);
  if (checks_ && !decision.refusal)
    if (auto rewritten = checks_->rewrite(facts, message, senders)) decision.content = std::move(rewritten);
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
    if (!isOwnNote(note.key)) decision.notes.emplace_back(note.key, note.value);
  const auto held = std::find_if(verdicts.begin(), verdicts.end(),
                                 [](const auto& verdict) { return verdict.kind == VerdictKind::Hold; });
  if (held != verdicts.end()) hold(facts, "policy " + held->policy + ": " + held->reason, decision);
  return decision;
}

// A policy that accepts for every recipient knows better than the spam filter.
void TransactionInspector::treatSpam(const InspectionFacts& facts, const policy::MessageVerdicts& verdicts,
                                     const policy::SpamFacts& spam, MessageDecision& decision) const {
  const bool accepted = std::all_of(verdicts.recipients.begin(), verdicts.recipients.end(),
                                    [](const auto& verdict) { return verdict.kind == VerdictKind::Accept; });
  switch (accepted ? SpamTreatment::Accept : companions_->treatmentOf(spam)) {
    case SpamTreatment::Accept:
      return;
    case SpamTreatment::Hold:
      return hold(facts, "spam: " + spam.action, decision);
    case SpamTreatment::Defer:
      decision.refusal = Refusal{makeReply(ReplyId::MessageDeferred), "spam-deferred", {}};
      return;
    case SpamTreatment::Reject:
      decision.refusal = Refusal{makeReply(ReplyId::SpamRefused), "spam", {}};
      if (const auto link = directory_.helpLink(); !link.empty()) decision.refusal->reply.line("help: " + link);
      return;
  }
}

// The first reason stands. Where no list is there to keep the message under, and where its author stands by, it is
// refused.
void TransactionInspector::hold(const InspectionFacts& facts, const std::string& why, MessageDecision& decision) {
  const auto& recipients = facts.transaction.recipients;
  const bool hasList = std::any_of(recipients.begin(), recipients.end(), [](const auto& recipient) {
    return recipient.route.role == app::RoutedAddress::Role::List ||
           recipient.route.role == app::RoutedAddress::Role::Outbound;
  });
  if (!hasList || facts.writtenHere) {
    decision.refusal = Refusal{makeReply(ReplyId::MessageRefused), "held", {}};
    decision.refusal->reply.line("this message would have to be looked at by a person first");
    return;
  }
  const bool isHeld = std::any_of(decision.notes.begin(), decision.notes.end(),
                                  [](const auto& note) { return note.first == app::QuarantineNote; });
  if (!isHeld) decision.notes.emplace_back(app::QuarantineNote, why);
}

std::optional<Refusal> TransactionInspector::refuseOutbound(const InspectionFacts& facts,
                                                            const policy::MessageFacts& message,
                                                            const MessageDecision& decision) const {
  if (!isOutbound(facts.transaction)) return std::nullopt;
  const auto from = mail::Address::parse(message.from);
  const auto& sender = facts.transaction.from;
  const bool authorFits = from && sender && from->domain() == sender->domain();
  if (authorFits && (facts.writtenHere || isToBeProtected(decision))) return std::nullopt;
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
