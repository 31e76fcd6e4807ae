// rooms: policy policy_frame
// What a worker says is hostile: decoding must throw Error(Malformed) or give values that keep every promise of
// Verdict, and what it gives must survive being written and read again.
#include "core/base/Error.h"
#include "core/policy/Counters.h"
#include "core/policy/frame/DeliveryFrame.h"
#include "core/policy/frame/ListFrame.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/frame/QueryFrame.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace postern;
using namespace postern::policy;

namespace {

template <class Decode>
void attempt(Decode decode) {
  try {
    decode();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Malformed) std::abort();
  }
}

void checkOutcome(std::string_view frame, std::size_t recipients, Hook hook) {
  const auto outcome = frame::decodeOutcome(frame, recipients, hook);
  if (!outcome) return;
  if (outcome->recipients.size() != recipients) std::abort();
  for (const auto& verdict : outcome->recipients) {
    if (!frame::isWellFormed(verdict, hook)) std::abort();
    if (verdict.text.find_first_of("\r\n") != std::string::npos) std::abort();
  }
  const auto again = frame::decodeOutcome(frame::encodeOutcome(outcome, false), recipients, hook);
  if (!again || again->recipients != outcome->recipients || again->notes != outcome->notes) std::abort();
}

// Each step says something of every recipient, and nothing that a verdict may not be.
void checkExplained(std::string_view frame, std::size_t recipients, Hook hook) {
  const auto explanation = frame::decodeExplained(frame, recipients, hook);
  for (const auto& step : explanation.steps) {
    if (step.verdicts.size() != recipients) std::abort();
    for (const auto& verdict : step.verdicts)
      if (verdict && !frame::isWellFormed(*verdict, hook)) std::abort();
  }
  (void)frame::decodeExplained(frame::encodeExplained(explanation, false), recipients, hook);
}

// What a worker asks in the middle of a call is bounded, whatever it sends.
void checkQuery(std::string_view frame) {
  if (!frame::isQuery(frame) || frame::queryKind(frame) != frame::QueryKind::Count) return;
  const auto query = frame::decodeCountQuery(frame);
  if (query.key.size() > frame::MaxCountKey || query.seconds == 0 || query.seconds > frame::MaxCountSeconds)
    std::abort();
  static Counters counters(64);
  if (counters.count(query.policy, query.key, query.seconds, false) == 0 || counters.size() > 64) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t recipients = data[0] % 4;
  const auto hook = static_cast<Hook>((data[0] >> 2) % (static_cast<unsigned>(LastHook) + 1));
  const std::string_view frame(reinterpret_cast<const char*>(data) + 1, size - 1);
  attempt([&] { checkOutcome(frame, recipients, hook); });
  attempt([&] { checkExplained(frame, recipients, hook); });
  attempt([&] { (void)frame::decodeLoaded(frame); });
  attempt([&] { (void)frame::decodeCaseDone(frame); });
  attempt([&] { (void)frame::decodeLoad(frame); });
  attempt([&] { (void)frame::decodeRcpt(frame); });
  attempt([&] { (void)frame::decodeMessage(frame); });
  attempt([&] { (void)frame::decodeCase(frame); });
  attempt([&] { (void)frame::decodeSession(frame); });
  attempt([&] {
    const auto request = frame::decodeList(frame);
    (void)frame::decodeList(frame::encodeList(frame::RequestKind::Members, request));
  });
  attempt([&] { (void)frame::decodeDelivery(frame::encodeDelivery(frame::decodeDelivery(frame))); });
  attempt([&] { checkQuery(frame); });
  attempt([&] {
    const auto content = frame::decodeContent(frame);
    if (frame::decodeContent(frame::encodeContent(content)) != content) std::abort();
  });
  if (!frame::isReplyText(frame::toReplyText(frame))) std::abort();
  return 0;
}
