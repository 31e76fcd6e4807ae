#include "listd/ledger/EventRecorder.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/audit/DeliveryEntry.h"
#include "listd/ledger/Closing.h"
#include "listd/plan/Replan.h"
#include "listd/probe/TlsLessons.h"

#include <set>

namespace postern::listd {
namespace {

using Outcome = app::DeliveryEvent::Outcome;

constexpr std::int64_t MicrosOfMinute = 60'000'000;

CopyState stateAfter(Outcome outcome) {
  switch (outcome) {
    case Outcome::Delivered:
      return CopyState::Delivered;
    case Outcome::Deferred:
      return CopyState::Deferred;
    case Outcome::Failed:
    case Outcome::Blocked:
      return CopyState::Failed;
    case Outcome::Expired:
      return CopyState::Expired;
    case Outcome::Dropped:
      return CopyState::Dropped;
  }
  throw Error(ErrorKind::Malformed, "the gateway told an unknown outcome");
}

class Batch {
public:
  explicit Batch(SiteTables& tables) : tables_(tables) {}

  void add(const app::DeliveryEvent& event) {
    const auto row = tables_.ledger.find(event.copyKey);
    if (!row) {
      if (tables_.siteMail.record(event)) return;
      log::warning("ledger", "the gateway told of a copy that is in no ledger", {{"copy", event.copyKey}});
      return;
    }
    if (!tables_.ledger.addAttempt(row->id, attemptOf(event))) return;
    entry_.add(*row, event);
    domains_.add(*row, event);
    const auto state = stateAfter(event.outcome);
    countFlow(event.at, state);
    if (isFinal(row->state)) return;
    std::optional<TimePoint> deliveredAt;
    if (state == CopyState::Delivered) deliveredAt = event.at;
    tables_.ledger.setState(row->id, state, event.attempt, deliveredAt);
    if (row->kind != app::Copy::Kind::Content) return;
    countCopy(*row, state);
    if (isFinal(state)) endTakeBack(*row, state, event.at);
    if (state == CopyState::Delivered) delivered_[{toMicros(event.at) / MicrosOfMinute, row->protection}] += 1;
    if (state == CopyState::Delivered && row->protection == "none" && isOfSecureList(row->postId)) {
      log::error("ledger", "a plain copy of a secure list was delivered", {{"copy", row->id}});
      tables_.counters.take(CounterStore::Plaintext);
    }
  }

  void add(const app::RefusalEvent& event) {
    tables_.flow.addRefusal(event.at, event.reason);
    entry_.add(event);
    flowAt(event.at).refused += 1;
  }

  bool finish() {
    entry_.appendTo(tables_.audit);
    domains_.writeTo(tables_);
    for (const auto& [minute, flow] : flows_) tables_.flow.add(flow);
    for (const auto& [key, copies] : delivered_)
      tables_.flow.addDelivered(fromMicros(key.first * MicrosOfMinute), key.second, copies);
    bool reports = anew_;
    for (const auto& [postId, change] : changes_) {
      tables_.posts.addCounts(postId, change);
      if (closeIfDone(tables_, postId)) reports = true;
    }
    return reports;
  }

private:
  static Attempt attemptOf(const app::DeliveryEvent& event) {
    return {event.attempt,
            app::outcomeName(event.outcome),
            event.at,
            event.remoteHost,
            event.remoteAddress,
            event.replyCode,
            event.replyText,
            event.tls};
  }

  // A copy that could not have verified TLS in time: now that the gateway has dropped it, something else may go out.
  void endTakeBack(const LedgerRow& row, CopyState state, TimePoint at) {
    if (!tables_.ledger.isAskedBack(row.id)) return;
    tables_.ledger.endAskBack(row.id);
    if (state != CopyState::Dropped || !planAnew(tables_, row, at)) return;
    auto& change = changes_[row.postId];
    change.failed -= 1;  // as countCopy and countFlow had it
    flowAt(at).failed -= 1;
    change.pending += 1;
    anew_ = true;
  }

  bool isOfSecureList(std::uint64_t postId) {
    const auto known = secure_.find(postId);
    if (known != secure_.end()) return known->second;
    const auto post = tables_.posts.find(postId);
    const auto list = post ? tables_.lists.find(post->listId) : std::nullopt;
    return secure_[postId] = !list || list->secure;
  }

  Flow& flowAt(TimePoint at) {
    auto& flow = flows_[toMicros(at) / MicrosOfMinute];
    flow.at = at;
    return flow;
  }

  void countFlow(TimePoint at, CopyState state) {
    auto& flow = flowAt(at);
    if (state == CopyState::Delivered)
      flow.delivered += 1;
    else if (state == CopyState::Deferred)
      flow.deferred += 1;
    else
      flow.failed += 1;
  }

  void countCopy(const LedgerRow& row, CopyState state) {
    auto& change = changes_[row.postId];
    const bool wasDeferred = row.state == CopyState::Deferred;
    if (state == CopyState::Deferred) {
      if (!wasDeferred) change.deferred += 1;
      return;
    }
    change.pending -= 1;
    if (wasDeferred) change.deferred -= 1;
    if (state == CopyState::Delivered)
      change.delivered += 1;
    else
      change.failed += 1;
  }

  SiteTables& tables_;
  DeliveryEntry entry_;
  TlsLessons domains_;
  std::map<std::uint64_t, PostCounts> changes_;
  std::map<std::int64_t, Flow> flows_;
  std::map<std::pair<std::int64_t, std::string>, std::uint64_t> delivered_;  // by minute and protection
  std::map<std::uint64_t, bool> secure_;
  bool anew_ = false;  // a recipient was planned anew
};

}  // namespace

bool recordEvents(SiteTables& tables, const std::vector<app::GatewayEvent>& events) {
  Batch batch(tables);
  for (const auto& event : events) std::visit([&](const auto& what) { batch.add(what); }, event.what);
  if (!events.empty()) tables.counters.set(CounterStore::Event, events.back().sequence);
  return batch.finish();
}

}  // namespace postern::listd
