#pragma once
#include "core/policy/Counters.h"
#include "core/policy/frame/QueryFrame.h"
#include "core/policy/Verdict.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::policy {

// Answers what a worker asks in the middle of one call: for the content once, and for counts within bounds.
// Ownership: the message and the counters must outlive it. Threads: one. Errors: Error(Malformed) for what is no
// question.
class CallAnswers {
public:
  CallAnswers(const MessageFacts* message, Counters& counters, bool trial)
      : message_(message), counters_(counters), trial_(trial) {}

  std::optional<std::string> operator()(std::string_view query) {
    switch (frame::queryKind(query)) {
      case frame::QueryKind::Content:
        if (message_ == nullptr || !message_->content || std::exchange(gaveContent_, true)) return std::nullopt;
        return frame::encodeContent(message_->content());
      case frame::QueryKind::Count: {
        if (++counts_ > MaxCounts) return std::nullopt;
        const auto asked = frame::decodeCountQuery(query);
        return frame::encodeCount(counters_.count(asked.policy, asked.key, asked.seconds, trial_));
      }
    }
    return std::nullopt;
  }

private:
  static constexpr std::size_t MaxCounts = 64;

  const MessageFacts* message_;
  Counters& counters_;
  const bool trial_;
  bool gaveContent_ = false;
  std::size_t counts_ = 0;
};

}  // namespace postern::policy
