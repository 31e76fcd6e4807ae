#pragma once
#include "listd/retention/DestructionGate.h"
#include "listd/retention/WhatIfScan.h"

#include <functional>
#include <map>
#include <string>

namespace postern::listd {

// What a run kept and why, in words that tell nobody of a silent hold.
std::map<std::string, std::uint64_t> publicKept(const Run& run);

// How much a run may destroy without asking (retention rules part 2.3, E4): more than max(1,000, 3 x the mean of the
// last 30 days) or more than 5 % of the archive stops it.
std::uint64_t blastLimit(std::uint64_t archive, std::uint64_t destroyedIn30Days);

// One run, from its row on; may be called again for a run that a crash left: what is done is done, the rest is found
// again. Stopped (over the limit) and refused (clock) runs end as such and destroy nothing.
class RetentionRun {
public:
  RetentionRun(SiteContext& context, DestructionGate& gate, const ContentAnswers* answers)
      : context_(context), gate_(gate), answers_(answers) {}

  using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;  // false: go on at the next start
  Run go(std::uint64_t runId, const Progress& progress);

private:
  bool mayGo(Run& run, const Scan& scan);
  Run end(Run run, std::string state, std::string words);

  SiteContext& context_;
  DestructionGate& gate_;
  const ContentAnswers* answers_;
};

}  // namespace postern::listd
