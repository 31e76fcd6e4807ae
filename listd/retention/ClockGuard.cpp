#include "listd/retention/ClockGuard.h"

#include "listd/retention/Recording.h"

namespace postern::listd {
namespace {

std::string moved(std::string_view how, TimePoint from, TimePoint to) {
  return "the clock " + std::string(how) + " from " + formatRfc3339(from) + " to " + formatRfc3339(to);
}

std::optional<std::string> jump(const ClockState& state, TimePoint now) {
  if (now + ClockTolerance < state.beatAt) return moved("went back", state.beatAt, now);
  if (now - state.beatAt > LongestSilence) return moved("went with no heartbeat between", state.beatAt, now);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> clockTrouble(SiteTables& tables, TimePoint now) {
  const auto state = tables.retention.clock();
  if (!state) return "the clock has no heartbeat yet";
  if (state->distrustedAt) return state->reason;
  if (auto trouble = jump(*state, now)) return trouble;
  if (const auto newest = newestRecordAt(tables); newest && now + ClockTolerance < *newest)
    return moved("is behind the newest entry of the audit log:", *newest, now);
  return std::nullopt;
}

std::optional<DestructionTrouble> destructionTrouble(const SiteContext& context, SiteTables& tables, TimePoint now) {
  if (auto trouble = context.journal.trouble())
    return DestructionTrouble{"register", *trouble + ", so it is not known what must be kept"};
  if (auto trouble = clockTrouble(tables, now)) return DestructionTrouble{"clock", std::move(*trouble)};
  return std::nullopt;
}

std::optional<std::string> heartbeat(SiteTables& tables, TimePoint now) {
  const auto state = tables.retention.clock();
  if (state && state->distrustedAt) return state->reason;
  auto trouble = state ? clockTrouble(tables, now) : std::nullopt;
  if (!trouble) {
    tables.retention.beat(now);
    return std::nullopt;
  }
  tables.retention.distrustClock(now, *trouble);
  audit::Event event;
  event.actorKind = "system";
  event.action = "clock.distrusted";
  event.objectType = "clock";
  event.outcome = audit::Outcome::Error;
  event.reasonText = *trouble;
  recordEvent(tables, event, now);
  return trouble;
}

}  // namespace postern::listd
