// rooms: policy policy_frame
// What a worker says is hostile: decoding must throw Error(Malformed) or give values that keep every promise of
// Verdict, and what it gives must survive being written and read again.
#include "core/base/Error.h"
#include "core/policy/frame/PolicyFrame.h"

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

void checkOutcome(std::string_view frame, std::size_t recipients, bool beforeContent) {
  const auto outcome = frame::decodeOutcome(frame, recipients, beforeContent);
  if (!outcome) return;
  if (outcome->recipients.size() != recipients) std::abort();
  for (const auto& verdict : outcome->recipients) {
    if (!frame::isWellFormed(verdict, beforeContent)) std::abort();
    if (verdict.text.find_first_of("\r\n") != std::string::npos) std::abort();
  }
  const auto again = frame::decodeOutcome(frame::encodeOutcome(outcome, false), recipients, beforeContent);
  if (!again || again->recipients != outcome->recipients || again->notes != outcome->notes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t recipients = data[0] % 4;
  const bool beforeContent = (data[0] & 0x80) != 0;
  const std::string_view frame(reinterpret_cast<const char*>(data) + 1, size - 1);
  attempt([&] { checkOutcome(frame, recipients, beforeContent); });
  attempt([&] { (void)frame::decodeLoaded(frame); });
  attempt([&] { (void)frame::decodeCaseDone(frame); });
  attempt([&] { (void)frame::decodeLoad(frame); });
  attempt([&] { (void)frame::decodeRcpt(frame); });
  attempt([&] { (void)frame::decodeMessage(frame); });
  attempt([&] { (void)frame::decodeCase(frame); });
  if (!frame::isReplyText(frame::toReplyText(frame))) std::abort();
  return 0;
}
