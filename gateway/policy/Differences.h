#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace postern::gateway {

// Counts in what the answers of two policy sets differ. Holds verdicts and queue ids, nothing of mail.
// Threads: one at a time.
class Differences {
public:
  static constexpr std::size_t MaxKinds = 200;
  static constexpr std::size_t MaxExamples = 10;

  // `now`, `then`: the texts of the sets.
  Differences() = default;
  Differences(policy::SetTexts now, policy::SetTexts then) : nowTexts_(std::move(now)), thenTexts_(std::move(then)) {}

  // One call of a hook. `trace`: the queue id of the message, or empty where there is none yet.
  void add(const std::string& hook, const policy::MessageOutcome& now, const policy::MessageOutcome& then,
           const std::string& trace);

  std::uint64_t compared() const { return compared_; }
  // {compared different failed kinds[{hook now then messages recipients examples[]}]}
  nlohmann::json view() const;

private:
  // "now" and "then" for each recipient that differs, in words.
  std::vector<std::pair<std::string, std::string>> between(const policy::MessageOutcome& now,
                                                           const policy::MessageOutcome& then) const;

  struct Kind {
    std::uint64_t messages = 0;
    std::uint64_t recipients = 0;
    std::vector<std::string> examples;
  };
  policy::SetTexts nowTexts_;
  policy::SetTexts thenTexts_;
  std::map<std::tuple<std::string, std::string, std::string>, Kind> kinds_;
  std::uint64_t compared_ = 0;
  std::uint64_t different_ = 0;
  std::uint64_t failed_ = 0;  // the set that is tried could not answer
};

}  // namespace postern::gateway
