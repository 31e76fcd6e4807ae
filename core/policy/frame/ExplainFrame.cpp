#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/policy/frame/PolicyFrame.h"

namespace postern::policy::frame {

namespace {

constexpr std::size_t MaxSteps = 1'000;

[[noreturn]] void malformed(const char* what) {
  throw Error(ErrorKind::Malformed, std::string("a policy frame is malformed: ") + what);
}

// The verdicts that count travel as an outcome of their own, so that they are checked as any other.
void write(Writer& writer, const PolicyStep& step) {
  MessageVerdicts counting;
  writer.string(step.policy).u64(step.micros);
  writer.list(step.verdicts, [&](Writer& w, const std::optional<Verdict>& verdict) {
    w.boolean(verdict.has_value());
    if (verdict) counting.recipients.push_back(*verdict);
  });
  counting.notes = step.notes;
  writer.string(encodeOutcome(counting, false));
}

PolicyStep readStep(Reader& reader, std::size_t recipients, Hook hook) {
  PolicyStep step;
  step.policy = reader.string();
  step.micros = reader.u64();
  const auto counts = reader.list<bool>([](Reader& r) { return r.boolean(); });
  if (counts.size() != recipients) malformed("a step that is not of all recipients");
  std::size_t counting = 0;
  for (const bool one : counts) counting += one ? 1 : 0;
  auto outcome = decodeOutcome(reader.view(), counting, hook);
  if (!outcome) malformed("a step that failed");
  std::size_t next = 0;
  for (const bool one : counts)
    step.verdicts.push_back(one ? std::optional(std::move(outcome->recipients[next++])) : std::nullopt);
  step.notes = std::move(outcome->notes);
  return step;
}

}  // namespace

std::string encodeExplain(std::string_view question) {
  return Writer().u8(static_cast<std::uint8_t>(RequestKind::Explain)).raw(question).bytes();
}

std::string_view decodeExplain(std::string_view frame) {
  if (requestKind(frame) != RequestKind::Explain) malformed("not the request that was expected");
  return frame.substr(1);
}

std::string encodeExplained(const Explanation& explanation, bool retire) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(ReplyKind::Explained)).boolean(retire);
  writer.string(encodeOutcome(explanation.outcome, false)).list(explanation.steps, write);
  return std::move(writer).bytes();
}

Explanation decodeExplained(std::string_view frame, std::size_t recipients, Hook hook) {
  if (replyKind(frame) != ReplyKind::Explained) malformed("not the reply that was expected");
  Reader reader(frame.substr(2));
  Explanation explanation;
  explanation.outcome = decodeOutcome(reader.view(), recipients, hook);
  explanation.steps = reader.list<PolicyStep>([&](Reader& r) { return readStep(r, recipients, hook); });
  reader.expectEnd();
  if (explanation.steps.size() > MaxSteps) malformed("more steps than policies");
  return explanation;
}

}  // namespace postern::policy::frame
