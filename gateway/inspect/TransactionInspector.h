#pragma once
#include "core/mail/Header.h"
#include "core/policy/PolicyHost.h"
#include "core/policy/Verdict.h"
#include "gateway/smtp/Ports.h"

#include <string>
#include <string_view>

namespace postern::gateway {

// Where the verdicts come from: the policy host, or a fake in tests. As PolicyHost: blocks, does not throw.
class Policies {
public:
  virtual ~Policies() = default;
  virtual policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts,
                                     const policy::RecipientFacts& recipient) = 0;
  virtual policy::MessageOutcome message(const policy::TransactionFacts& facts,
                                         const policy::MessageFacts& message) = 0;
};

class HostPolicies : public Policies {
public:
  explicit HostPolicies(policy::PolicyHost& host) : host_(host) {}
  policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts, const policy::RecipientFacts& recipient) override {
    return host_.rcpt(facts, recipient);
  }
  policy::MessageOutcome message(const policy::TransactionFacts& facts, const policy::MessageFacts& message) override {
    return host_.message(facts, message);
  }

private:
  policy::PolicyHost& host_;
};

// Judges whole transactions: the message is parsed once, refused if two readers could see two different messages in
// it, and shown to the policies once. The verdicts on the recipients become one honest reply for all of them:
//  1. One reject refuses the whole transaction with 550 5.7.1. The reply names each refused recipient and why, gives
//     the help link and says that nothing was delivered to anyone, so no bounce is ours to send.
//  2. Else one defer defers the whole transaction with 451.
//  3. A policy that fails is 451 4.7.0: never open. Hold and redirect, which this release cannot do, defer.
//  4. Mail of a relay for recipients elsewhere must be marked as secure by its subject, or by a policy that asks for
//     protection, and its From must be in the sender's domain. All else is refused with advice, never sent plain.
// Messages for bounces addresses only are read leniently: a report that is refused is a report that is lost.
// Ownership: what the constructor gets must outlive it. Threads: safe for all.
class TransactionInspector : public Inspector {
public:
  TransactionInspector(Policies& policies, const Directory& directory) : policies_(policies), directory_(directory) {}

  std::optional<Refusal> recipient(const InspectionFacts& facts, const TransactionRecipient& candidate) override;
  MessageDecision message(const InspectionFacts& facts, std::string_view content) override;

private:
  MessageDecision combine(const InspectionFacts& facts, const policy::MessageVerdicts& verdicts) const;
  std::optional<Refusal> refuseOutbound(const InspectionFacts& facts, const policy::MessageFacts& message,
                                        const MessageDecision& decision) const;

  Policies& policies_;
  const Directory& directory_;
};

// Larger headers are refused; no honest message has them, and policies get all fields.
inline constexpr mail::HeaderLimits InspectedHeader{1u << 20, 5'000};

}  // namespace postern::gateway
