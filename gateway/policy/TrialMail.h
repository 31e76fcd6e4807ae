#pragma once
#include "core/app/GatewayLink.h"
#include "core/policy/PolicyHost.h"
#include "gateway/inspect/TransactionInspector.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::gateway {

// One call of a hook about a message that is judged for the sake of the answer.
struct TrialCall {
  const char* hook;
  std::vector<std::string> recipients;
  policy::Explanation explanation;
};

struct Trial {
  std::string unclear;  // refused before any policy is asked: why
  std::vector<TrialCall> calls;
  // By recipient of the submission: what decided, and in which hook.
  struct Result {
    std::string address;
    std::string hook;
    policy::Verdict verdict;
    std::optional<policy::Failure> failure;
  };
  std::vector<Result> results;
};

// Asks the set of `host` about a message as of one that comes by SMTP: `rcpt` for each recipient, then `message` for
// those that were let in. `lookUp`: the DNS is asked about the sender; else what the notes of the submission say of it
// (app::SenderProvenNote) counts. Companions are not asked. Nothing is taken, counted or logged. Threads: safe for all.
Trial judgeTrial(policy::PolicyHost& host, const TransactionInspector& inspector, const Directory& directory,
                 const app::Submission& submission, bool lookUp);

}  // namespace postern::gateway
