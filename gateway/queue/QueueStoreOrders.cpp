#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "gateway/deliver/OutcomeLine.h"
#include "gateway/queue/QueueStoreImpl.h"

// QueueStore: what people see of the queue, and what they want done.
namespace postern::gateway {

namespace {

using Action = QueueOrder::Action;

constexpr std::size_t Slice = 4096;  // copies that are looked at under one lock

bool fits(const QueueFilter& filter, std::uint64_t post, const CopyEntry& copy) {
  if (!filter.destination.empty() && *copy.destination != filter.destination) return false;
  if (!filter.trace.empty() && copy.post != post) return false;
  if (filter.held && *filter.held != (copy.state == CopyEntry::State::Held)) return false;
  return !filter.queuedBefore || copy.queuedAt < toMicros(*filter.queuedBefore);
}

bool mayChange(Action action, const CopyEntry& copy) {
  if (copy.done()) return false;
  const bool held = copy.state == CopyEntry::State::Held;
  if (action == Action::Release) return held;
  return (action != Action::Hold && action != Action::Retry) || !held;
}

ChangeMeta::Action changeOf(Action action) {
  if (action == Action::Hold) return ChangeMeta::Action::Hold;
  if (action == Action::Release) return ChangeMeta::Action::Release;
  return action == Action::Reroute ? ChangeMeta::Action::Reroute : ChangeMeta::Action::Retry;
}

}  // namespace

std::optional<QueuePlace> QueueStore::walk(const QueueFilter& filter, QueuePlace after,
                                           const std::function<bool(const CopySummary&)>& show) const {
  const auto post = postOf(filter.trace);
  std::vector<CopySummary> found;
  for (bool more = true; more;) {
    found.clear();
    {
      std::lock_guard lock(impl_->mutex);
      const auto& byAge = impl_->index.byAge;
      auto at = byAge.upper_bound({after.queuedAt, after.key});
      for (std::size_t seen = 0; at != byAge.end() && seen < Slice; ++at, ++seen) {
        const auto& copy = impl_->index.copies.at(at->second);
        after = {at->first, at->second};
        if (fits(filter, post, copy)) found.push_back(impl_->index.summary(at->second, copy));
      }
      more = at != byAge.end();
    }
    for (const auto& copy : found)
      if (!show(copy)) return QueuePlace{toMicros(copy.queuedAt), copy.key};
  }
  return std::nullopt;
}

std::vector<QueueRow> QueueStore::rows(const std::vector<std::uint64_t>& keys) const {
  std::vector<QueueRow> rows;
  std::vector<std::string> lastEvents;
  {
    std::lock_guard lock(impl_->mutex);
    for (const auto key : keys) {
      const auto found = impl_->index.copies.find(key);
      if (found == impl_->index.copies.end() || found->second.done()) continue;
      rows.push_back({impl_->index.summary(key, found->second), {}});
      lastEvents.push_back(found->second.lastEvent);
    }
  }
  if (!unlocked()) return rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (lastEvents[i].empty()) continue;
    const auto bytes = impl_->seal.open(lastEvents[i], eventSealContext(rows[i].copy.key));
    Reader reader(bytes);
    rows[i].lastReply = std::get<app::DeliveryEvent>(app::GatewayEvent::decode(reader).what).replyText;
  }
  return rows;
}

std::vector<std::uint64_t> QueueStore::act(const QueueOrder& order) {
  auto keys = order.keys;
  {
    std::lock_guard lock(impl_->mutex);
    std::erase_if(keys, [&](std::uint64_t key) {
      const auto found = impl_->index.copies.find(key);
      return found == impl_->index.copies.end() || !mayChange(order.action, found->second);
    });
  }
  // What is on its way may arrive, so it is not taken back: then nothing is delivered in its place either.
  if (order.action == Action::Withdraw) {
    std::lock_guard lock(impl_->listenerMutex);
    if (impl_->listener) std::erase_if(keys, [&](std::uint64_t key) { return !impl_->listener->withdraw(key); });
  }
  if (keys.empty()) return keys;
  if (order.action == Action::Drop || order.action == Action::Withdraw) {
    impl_->drop(keys,
                order.action == Action::Drop
                    ? "dropped by an administrator" + (order.reason.empty() ? "" : ": " + order.reason)
                    : "taken back, to be protected in another way",
                *this);
    flush();
    return keys;
  }
  WriteJob job;
  job.useReserve = true;
  const auto at = toMicros(impl_->clock.now());
  for (const auto key : keys) {
    ChangeMeta meta{changeOf(order.action), key, at, order.via};
    job.records.push_back({typeOf(RecordType::Change), meta.encode(), {}});
  }
  impl_->writeAndWait(std::move(job));
  return keys;
}

// The final event of each, with what its line in the log needs.
void QueueStore::Impl::drop(const std::vector<std::uint64_t>& keys, const std::string& why, QueueStore& queue) {
  for (const auto key : keys) {
    app::DeliveryEvent event;
    event.copyKey = key;
    event.outcome = app::DeliveryEvent::Outcome::Dropped;
    event.at = clock.now();
    event.replyText = why;
    try {
      if (const auto copy = seal.hasKey() ? queue.load(key) : std::nullopt) {
        event.trace = copy->trace;
        event.protection = copy->protection;
      }
    } catch (const Error&) {
      // What cannot be read any more can be dropped all the same.
    }
    tellOutcome(event);
    queue.record(std::move(event));
  }
}

}  // namespace postern::gateway
