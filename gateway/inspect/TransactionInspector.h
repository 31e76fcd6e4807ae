#pragma once
#include "core/base/Metrics.h"
#include "core/mail/Header.h"
#include "core/mail/MimeTree.h"
#include "core/policy/PolicyHost.h"
#include "core/policy/Verdict.h"
#include "gateway/inspect/Companions.h"
#include "gateway/inspect/Dnsbl.h"
#include "gateway/inspect/SenderChecks.h"
#include "gateway/smtp/Ports.h"

#include <string>
#include <string_view>

namespace postern::gateway {

// Where the verdicts come from: the policy host, or a fake in tests. As PolicyHost: blocks, does not throw.
class Policies {
public:
  virtual ~Policies() = default;
  virtual bool asks(policy::Hook /*hook*/) const { return false; }
  virtual policy::PolicyOutcome session(policy::Hook /*hook*/, const policy::TransactionFacts& /*facts*/,
                                        const policy::UserFacts& /*user*/) {
    return Unexpected(policy::Failure{policy::FailureKind::NoSet, {}, "these policies have no such hook"});
  }
  virtual policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts,
                                     const policy::RecipientFacts& recipient) = 0;
  virtual policy::MessageOutcome message(const policy::TransactionFacts& facts,
                                         const policy::MessageFacts& message) = 0;
};

class HostPolicies : public Policies {
public:
  explicit HostPolicies(policy::PolicyHost& host) : host_(host) {}
  bool asks(policy::Hook hook) const override { return host_.asks(hook); }
  policy::PolicyOutcome session(policy::Hook hook, const policy::TransactionFacts& facts,
                                const policy::UserFacts& user) override {
    const metrics::Timing timing(sessionTime_);
    return host_.session(hook, facts, user);
  }
  policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts, const policy::RecipientFacts& recipient) override {
    const metrics::Timing timing(rcptTime_);
    return host_.rcpt(facts, recipient);
  }
  policy::MessageOutcome message(const policy::TransactionFacts& facts, const policy::MessageFacts& message) override {
    const metrics::Timing timing(messageTime_);
    return host_.message(facts, message);
  }

private:
  policy::PolicyHost& host_;
  static constexpr const char* Help = "Time that the policies took, by hook.";
  metrics::Histogram& sessionTime_{metrics::histogram("postern_policy_duration_seconds", Help, {{"hook", "session"}})};
  metrics::Histogram& rcptTime_{metrics::histogram("postern_policy_duration_seconds", Help, {{"hook", "rcpt"}})};
  metrics::Histogram& messageTime_{metrics::histogram("postern_policy_duration_seconds", Help, {{"hook", "message"}})};
};

// What policies are told, without asking them: for questions that are not about mail at the door.
struct RecipientQuestion {
  policy::TransactionFacts transaction;
  policy::RecipientFacts recipient;
};
struct MessageQuestion {
  policy::TransactionFacts transaction;
  policy::MessageFacts message;
};

// Judges whole transactions: the message is parsed once, refused if two readers could see two different messages in
// it, and shown to the policies once. The verdicts on the recipients become one honest reply for all of them:
//  1. One reject refuses the whole transaction with 550 5.7.1. The reply names each refused recipient and why, gives
//     the help link and says that nothing was delivered to anyone, so no bounce is ours to send.
//  2. Else one defer defers the whole transaction with 451.
//  3. A policy that fails is 451 4.7.0: never open. Redirect, which this release cannot do, defers. Hold concerns the
//     whole message: it is taken, and kept for a person (app::QuarantineNote).
//  4. Mail of a relay for recipients elsewhere must be marked as secure by its subject, or by a policy that asks for
//     protection, and its From must be in the sender's domain. All else is refused with advice, never sent plain.
//  5. Whether the message is of whom it says is found out first, told to the policies and written down: in
//     Authentication-Results and in the notes "sender-check" and "sender-proven", which no policy can write.
//  6. Companions are asked before the policies, which are told what they say. What is infected, and what a milter
//     refuses, no policy lets in; what the spam filter says is acted on where no policy accepts.
//  7. A client that DNS lists of bad addresses name is refused with its first recipient; relays are not looked up.
//  8. Who has signed in writes as themselves: From names one author, the account's address, and so does Sender if it is
//     there. Date and Message-ID are added where they are missing (RFC 6409 §8). SPF, DNS lists and the like are not
//     asked.
// Messages for bounces addresses only are read leniently and shown to no companion: a report that is refused is a
// report that is lost. Ownership: what the constructor gets must outlive it. Threads: safe for all.
class TransactionInspector : public Inspector {
public:
  // What is null is not there: without `checks` nobody's mail is checked for being of whom it says.
  TransactionInspector(Policies& policies, const Directory& directory, const SenderChecks* checks = nullptr,
                       const Companions* companions = nullptr, Dnsbl* dnsbl = nullptr, std::uint32_t dnsblReject = 0)
      : policies_(policies),
        directory_(directory),
        checks_(checks),
        companions_(companions),
        dnsbl_(dnsbl),
        dnsblReject_(dnsblReject) {}

  bool asks(policy::Hook hook) const override { return policies_.asks(hook); }
  std::optional<Refusal> session(policy::Hook hook, const InspectionFacts& facts) override;
  std::optional<Refusal> recipient(const InspectionFacts& facts, const TransactionRecipient& candidate) override;
  MessageDecision message(const InspectionFacts& facts, std::string_view content) override;

  // What the policies would be told; no companion is asked. `lookUp`: the DNS is asked about client and sender, else
  // the notes of the submission count. The message: or why two readers could understand it differently.
  policy::TransactionFacts sessionFactsOf(const InspectionFacts& facts, bool lookUp) const;
  RecipientQuestion questionOf(const InspectionFacts& facts, const TransactionRecipient& candidate, bool lookUp) const;
  Result<MessageQuestion, std::string> questionOf(const InspectionFacts& facts, const app::Submission& submission,
                                                  bool lookUp) const;

private:
  MessageDecision judgeWhole(const InspectionFacts& facts, std::string_view content);
  policy::TransactionFacts transactionFacts(const InspectionFacts& facts, std::uint64_t size) const;
  MessageDecision judge(const InspectionFacts& facts, const mail::Message& message, const mail::MimeTree& tree,
                        CompanionFindings& findings);
  MessageDecision combine(const InspectionFacts& facts, const policy::MessageVerdicts& verdicts) const;
  void treatSpam(const InspectionFacts& facts, const policy::MessageVerdicts& verdicts, const policy::SpamFacts& spam,
                 MessageDecision& decision) const;
  static void hold(const InspectionFacts& facts, const std::string& why, MessageDecision& decision);
  std::optional<Refusal> refuseOutbound(const InspectionFacts& facts, const policy::MessageFacts& message,
                                        const MessageDecision& decision) const;

  Policies& policies_;
  const Directory& directory_;
  const SenderChecks* checks_;
  const Companions* companions_;
  Dnsbl* dnsbl_;
  const std::uint32_t dnsblReject_;
};

// Larger headers are refused; no honest message has them, and policies get all fields.
inline constexpr mail::HeaderLimits InspectedHeader{1u << 20, 5'000};

}  // namespace postern::gateway
