#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"
#include "core/policy/PolicyHost.h"
#include "gateway/inspect/TransactionInspector.h"
#include "gateway/policy/PolicyFile.h"
#include "gateway/policy/Shadow.h"

#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace postern::gateway {

// Answers what listd asks about policies (docs/decisions/0045): which set is in force, whether another one is good, put
// it in force, how a message would be judged, what would be judged differently. Requests and answers are JSON.
//
//   state     {}                         -> {hasSet digest sets (SHA-256 of their JSON) shadow (digest, or empty)}
//   in-force  {}                         -> {hasSet digest files{path: text} sets{name: count}}
//   test      {files}                    -> report {ok digest policies[] problems[] warnings[] cases[]}
//   use       {files sets{name: [..]}}   -> report; when ok the set is in force and kept on disk
//   sets      {sets}                     -> {}; in force and kept on disk
//   explain   {files?} + Submission      -> {unclear? hooks[] recipients[{address verdict …}]}; a set is tested first
//   compare   {files} + Submission       -> {differences[{hook now then}]}: between the set in force and this one
//   shadow-start {files until} -> report; shadow-stop {} -> {}; shadow-report {} -> see Shadow::report()
//
// Content comes in a Submission, is judged and forgotten; nothing of it is logged. Sets other than the one in force run
// in workers of their own and change no counters.
// Ownership: what the constructor gets must outlive it. Threads: safe for all. Errors: Error(Malformed) for a request
// that is none.
class PolicyDesk {
public:
  PolicyDesk(policy::PolicyHost& live, policy::PolicyHostOptions options, PolicyFile file, KeptPolicies kept,
             const TransactionInspector& inspector, const Directory& directory, Shadow& shadow);

  std::string answer(std::string_view action, std::string_view request, std::string_view submission);

private:
  using Json = nlohmann::json;

  Json state();
  Json inForce();
  Json test(const Json& request);
  Json use(const Json& request);
  Json setValues(const Json& request);
  Json explain(const Json& request, const app::Submission& submission);
  Json compare(const Json& request, const app::Submission& submission);
  Json startShadow(const Json& request);
  // A host with the set of a request in it, or why there is none. The newest stay for the next question.
  std::shared_ptr<policy::PolicyHost> candidate(const Json& request, policy::TestReport& report, std::string& digest);

  policy::PolicyHost& live_;
  const policy::PolicyHostOptions options_;
  const PolicyFile file_;
  const TransactionInspector& inspector_;
  const Directory& directory_;
  Shadow& shadow_;
  Mutex changing_;  // one change at a time, with its file
  KeptPolicies kept_ GUARDED_BY(changing_);

  struct Candidate {
    std::string digest;
    policy::TestReport report;
    std::shared_ptr<policy::PolicyHost> host;
  };
  static constexpr std::size_t MaxCandidates = 3;
  Mutex mutex_;  // taken after changing_
  PolicyValues values_ GUARDED_BY(mutex_);
  std::deque<Candidate> candidates_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
