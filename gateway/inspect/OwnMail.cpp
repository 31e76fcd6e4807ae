#include "gateway/inspect/OwnMail.h"

#include "core/mail/Address.h"

namespace postern::gateway {
namespace {

constexpr const char* ThisMachine = "127.0.0.1";

std::string listOf(const app::Submission& submission) {
  for (const auto& [name, value] : submission.notes)
    if (name == app::OutboundNote) return value;
  return {};
}

bool isTrial(const app::Submission& submission) {
  for (const auto& note : submission.notes)
    if (note.first == app::TrialNote) return true;
  return false;
}

// The lines of a reply as one text; the help link stands on the page already.
std::string textOf(const smtp::Reply& reply) {
  std::string text;
  for (const auto& line : reply.lines)
    if (!line.starts_with("help: ")) text += (text.empty() ? "" : "; ") + line;
  return text;
}

class OwnMail {
public:
  OwnMail(Inspector& inspector, const app::Submission& submission)
      : inspector_(inspector),
        submission_(submission),
        client_{submission.clientAddress.empty() ? ThisMachine : submission.clientAddress, submission.clientName} {
    transaction_.from = addressOf(submission.mailFrom);
    transaction_.declaredSize = submission.content.size();
    transaction_.startedAt = submission.receivedAt;
  }

  std::optional<Refusal> judge(app::Judgement& judgement) {
    const auto list = listOf(submission_);
    for (const auto& text : submission_.recipients) {
      auto address = addressOf(text);
      if (!address || !transaction_.from) return malformed("an address cannot be read");
      TransactionRecipient candidate{*address, {text, list, true, app::RoutedAddress::Role::Outbound}};
      if (auto refusal = inspector_.recipient(facts(), candidate)) return refusal;
      transaction_.recipients.push_back(std::move(candidate));
    }
    if (transaction_.recipients.empty()) return malformed("nobody is named who shall get it");
    auto decision = inspector_.message(facts(), submission_.content);
    if (decision.refusal) return std::move(decision.refusal);
    if (!decision.discarded.empty())
      return Refusal{smtp::makeReply(smtp::ReplyId::RecipientRefused,
                                     {"a policy lets nothing through to <" +
                                      transaction_.recipients.at(decision.discarded.front()).address.text() + ">"}),
                     "discarded",
                     {}};
    judgement.notes = std::move(decision.notes);
    return std::nullopt;
  }

private:
  static std::optional<mail::Address> addressOf(const std::string& text) {
    auto address = mail::Address::parse(text);
    return address ? std::optional(std::move(*address)) : std::nullopt;
  }
  static Refusal malformed(const char* what) {
    return {smtp::makeReply(smtp::ReplyId::MalformedMessage, {what}), "malformed", {}};
  }
  InspectionFacts facts() const {
    return {client_, helo_, submission_.tls, transaction_, true, nullptr, isTrial(submission_)};
  }

  Inspector& inspector_;
  const app::Submission& submission_;
  const ClientFacts client_;
  const std::string helo_;
  Transaction transaction_;
};

}  // namespace

app::Judgement judgeOwnMail(Inspector& inspector, Observer& observer, const app::Submission& submission) {
  app::Judgement judgement;
  const auto refusal = OwnMail(inspector, submission).judge(judgement);
  judgement.passed = !refusal;
  if (!refusal) return judgement;
  judgement.later = refusal->reply.code < 500;
  judgement.text = textOf(refusal->reply);
  judgement.reason = refusal->reason;
  judgement.policy = refusal->policy;
  app::RefusalEvent event;
  event.at = submission.receivedAt;
  event.clientAddress = submission.clientAddress;
  event.mailFrom = submission.mailFrom;
  event.recipients = submission.recipients;
  event.code = refusal->reply.code;
  event.enhanced = refusal->reply.enhanced;
  event.reason = refusal->reason;
  event.policy = refusal->policy;
  if (!isTrial(submission)) observer.refused(event);
  return judgement;
}

}  // namespace postern::gateway
