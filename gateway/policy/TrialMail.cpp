#include "gateway/policy/TrialMail.h"

#include "core/mail/Address.h"

#include <algorithm>

namespace postern::gateway {

namespace {

constexpr const char* ThisMachine = "127.0.0.1";

std::optional<mail::Address> addressOf(const std::string& text) {
  auto address = mail::Address::parse(text);
  return address ? std::optional(std::move(*address)) : std::nullopt;
}

// An address that is no list of ours is shown to policies as one elsewhere.
TransactionRecipient recipientOf(const Directory& directory, const mail::Address& address) {
  if (auto route = directory.find(address)) return {address, std::move(*route)};
  return {address, {address.text(), {}, false, app::RoutedAddress::Role::Outbound}};
}

class TrialRun {
public:
  TrialRun(policy::PolicyHost& host, const TransactionInspector& inspector, const Directory& directory,
           const app::Submission& submission, bool lookUp)
      : host_(host),
        inspector_(inspector),
        directory_(directory),
        submission_(submission),
        lookUp_(lookUp),
        client_{submission.clientAddress.empty() ? ThisMachine : submission.clientAddress, submission.clientName} {
    transaction_.from = addressOf(submission.mailFrom);
    transaction_.declaredSize = submission.content.size();
    transaction_.startedAt = submission.receivedAt;
    transaction_.smtpUtf8 = submission.smtpUtf8;
  }

  Trial run() {
    if (const auto refused = askSession()) {
      for (const auto& text : submission_.recipients) trial_.results.push_back({text, refused->hook, {}, {}});
      for (auto& result : trial_.results) {
        result.verdict = refused->verdict;
        result.failure = refused->failure;
      }
      return std::move(trial_);
    }
    for (const auto& text : submission_.recipients) {
      trial_.results.push_back({text, "rcpt", {}, {}});
      if (const auto address = addressOf(text))
        askRecipient(recipientOf(directory_, *address), trial_.results.size() - 1);
      else
        trial_.unclear = "an address of a recipient cannot be read";
    }
    if (trial_.unclear.empty() && !transaction_.recipients.empty()) askMessage();
    return std::move(trial_);
  }

private:
  InspectionFacts facts() const { return {client_, submission_.helo, submission_.tls, transaction_}; }

  // The hooks before RCPT, each told what is known by then; nothing: all let it on.
  std::optional<Trial::Result> askSession() {
    const auto whole = inspector_.sessionFactsOf(facts(), lookUp_);
    policy::TransactionFacts known;
    known.client = whole.client;
    for (const auto hook : {policy::Hook::Connect, policy::Hook::Ehlo, policy::Hook::Mail}) {
      if (hook == policy::Hook::Ehlo) known.helo = whole.helo;
      if (hook == policy::Hook::Mail) known = whole;
      if (!host_.asks(hook)) continue;
      TrialCall call{policy::nameOf(hook), {policy::nameOf(hook)}, host_.explainSession(hook, known)};
      Trial::Result result{{}, policy::nameOf(hook), {}, {}};
      if (call.explanation.outcome)
        result.verdict = call.explanation.outcome->recipients.front();
      else
        result.failure = call.explanation.outcome.error();
      trial_.calls.push_back(std::move(call));
      if (result.failure || isRefusal(result.verdict)) return result;
    }
    return std::nullopt;
  }

  static bool isRefusal(const policy::Verdict& verdict) {
    return verdict.kind != policy::VerdictKind::Pass && verdict.kind != policy::VerdictKind::Accept;
  }

  void askRecipient(TransactionRecipient candidate, std::size_t place) {
    const auto question = inspector_.questionOf(facts(), candidate, lookUp_);
    TrialCall call{"rcpt", {candidate.address.text()}, host_.explainRcpt(question.transaction, question.recipient)};
    auto& result = trial_.results[place];
    if (!call.explanation.outcome)
      result.failure = call.explanation.outcome.error();
    else
      result.verdict = call.explanation.outcome->recipients.front();
    const bool letIn = call.explanation.outcome && !isRefusal(result.verdict);
    trial_.calls.push_back(std::move(call));
    if (!letIn) return;
    transaction_.recipients.push_back(std::move(candidate));
    places_.push_back(place);
  }

  void askMessage() {
    const auto question = inspector_.questionOf(facts(), submission_, lookUp_);
    if (!question) {
      trial_.unclear = question.error();
      return;
    }
    TrialCall call{"message", {}, host_.explainMessage(question->transaction, question->message)};
    for (std::size_t i = 0; i < places_.size(); ++i) {
      auto& result = trial_.results[places_[i]];
      call.recipients.push_back(result.address);
      result.hook = "message";
      if (!call.explanation.outcome)
        result.failure = call.explanation.outcome.error();
      else
        result.verdict = call.explanation.outcome->recipients.at(i);
    }
    trial_.calls.push_back(std::move(call));
  }

  policy::PolicyHost& host_;
  const TransactionInspector& inspector_;
  const Directory& directory_;
  const app::Submission& submission_;
  const bool lookUp_;
  const ClientFacts client_;
  Transaction transaction_;
  std::vector<std::size_t> places_;  // of the transaction's recipients in the submission
  Trial trial_;
};

}  // namespace

Trial judgeTrial(policy::PolicyHost& host, const TransactionInspector& inspector, const Directory& directory,
                 const app::Submission& submission, bool lookUp) {
  return TrialRun(host, inspector, directory, submission, lookUp).run();
}

}  // namespace postern::gateway
