#include "gateway/deliver/Scheduler.h"

#include <algorithm>

namespace postern::gateway {

namespace {

constexpr std::uint32_t FirstConnections = 2;  // of a lane that has not answered yet

const char* laneSuffix(TlsNeed need) {
  switch (need) {
    case TlsNeed::Usual:
      return "";
    case TlsNeed::Protection:
      return " verified";
    case TlsNeed::Asked:
      return " asked";
    case TlsNeed::Waived:
      return " waived";
  }
  return " verified";
}

}  // namespace

TlsNeed tlsNeedOf(const CopySummary& copy) {
  const bool content = copy.kind == app::Copy::Kind::Content;
  if (content && copy.protection == app::Protection::Tls) return TlsNeed::Protection;
  if (copy.tlsAsk == app::TlsAsk::Require) return TlsNeed::Asked;
  const bool plain = copy.protection == app::Protection::None && copy.floor == app::Protection::None;
  return content && plain && copy.tlsAsk == app::TlsAsk::Waive ? TlsNeed::Waived : TlsNeed::Usual;
}

Scheduler::Scheduler(const Options& options, HopName hopName)
    : options_(options), hopName_(std::move(hopName)), random_(options.randomSeed) {}

std::uint32_t Scheduler::addDomain(const std::string& name) {
  if (const auto known = domainNumbers_.find(name); known != domainNumbers_.end()) {
    ++domains_[known->second].copies;
    return known->second;
  }
  std::uint32_t number = 0;
  if (freeDomains_.empty()) {
    number = static_cast<std::uint32_t>(domains_.size());
    domains_.emplace_back();
  } else {
    number = freeDomains_.back();
    freeDomains_.pop_back();
  }
  domains_[number] = {name, 1};
  domainNumbers_.emplace(name, number);
  return number;
}

void Scheduler::releaseDomain(std::uint32_t number) {
  auto& domain = domains_[number];
  if (--domain.copies > 0) return;
  domainNumbers_.erase(domain.name);
  domain.name.clear();
  freeDomains_.push_back(number);
}

// Puts the copy into the lane of its next hop as it is now.
void Scheduler::attach(Entry& entry) {
  const auto name = hopName_(domains_[entry.domain].name) + laneSuffix(entry.need);
  auto [known, isNew] = laneByName_.try_emplace(name, lastLane_ + 1);
  if (isNew) {
    ++lastLane_;
    auto& lane = lanes_[lastLane_];
    lane.name = name;
    lane.need = entry.need;
    lane.limit = std::min(FirstConnections, options_.connectionsPerLane);
  }
  entry.lane = known->second;
  ++lanes_.at(entry.lane).copies;
}

void Scheduler::detach(Entry& entry) {
  --lanes_.at(entry.lane).copies;
  dropLaneIfUnused(entry.lane);
  entry.lane = 0;
}

void Scheduler::dropLaneIfUnused(Lane lane) {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end() || found->second.copies > 0 || found->second.connections > 0) return;
  laneByName_.erase(found->second.name);
  lanes_.erase(found);
}

void Scheduler::add(const CopySummary& copy, TimePoint now) {
  auto [found, isNew] = copies_.try_emplace(copy.key);
  if (!isNew) return;
  auto& entry = found->second;
  entry.due = toMicros(copy.notBefore);
  entry.expires = toMicros(copy.expiresAt);
  if (entry.expires == 0) entry.expires = toMicros(copy.queuedAt + options_.expiry);
  // Its time ran out while nobody could try, or the clock is wrong: it gets time for a try.
  if (entry.expires <= toMicros(now)) entry.expires = toMicros(now + options_.maxRetry);
  entry.queued = toMicros(copy.queuedAt);
  entry.attempts = copy.attempts;
  entry.urgent = copy.kind != app::Copy::Kind::Content;
  entry.post = entry.urgent ? 0 : copy.post;
  if (entry.post != 0) ++posts_[entry.post];
  entry.need = tlsNeedOf(copy);
  entry.held = copy.held;
  entry.domain = addDomain(copy.destination);
  attach(entry);
  if (!entry.held) expiry_.push({entry.expires, copy.key});
  schedule(copy.key, entry, now);
}

void Scheduler::change(const CopySummary& copy, TimePoint now) {
  const auto found = copies_.find(copy.key);
  if (found == copies_.end()) return add(copy, now);
  auto& entry = found->second;
  if (entry.held && !copy.held) expiry_.push({entry.expires, copy.key});
  entry.held = copy.held;
  if (entry.state == State::Out) return;  // counts once it comes back
  entry.due = toMicros(copy.notBefore);
  // Somebody who asks for a try wants the destination tried.
  if (copy.notBefore <= now && !copy.held) lanes_.at(entry.lane).restsUntil = 0;
  schedule(copy.key, entry, now);
}

void Scheduler::remove(std::uint64_t key) {
  const auto found = copies_.find(key);
  if (found == copies_.end()) return;
  detach(found->second);
  releaseDomain(found->second.domain);
  forgetPost(found->second.post);
  copies_.erase(found);
}

bool Scheduler::withdraw(std::uint64_t key) {
  const auto found = copies_.find(key);
  if (found != copies_.end() && found->second.state == State::Out) return false;
  remove(key);
  return true;
}

void Scheduler::rerouted(TimePoint now) {
  for (auto& [key, entry] : copies_) {
    if (entry.state == State::Out) continue;
    detach(entry);
    attach(entry);
    schedule(key, entry, now);
  }
}

void Scheduler::schedule(std::uint64_t key, Entry& entry, TimePoint now) {
  if (entry.held) {
    entry.state = State::Held;
  } else if (entry.due <= toMicros(now)) {
    makeReady(key, entry);
  } else {
    entry.state = State::Waiting;
    due_.push({entry.due, key});
  }
}

void Scheduler::makeReady(std::uint64_t key, Entry& entry) {
  entry.state = State::Ready;
  auto& lane = lanes_.at(entry.lane);
  lane.ready[classOf(entry)].push_back(key);
  offer(entry.lane, lane);
}

// What nobody can count together is bulk: it was so before an upgrade.
Scheduler::Class Scheduler::classOf(const Entry& entry) const {
  if (entry.urgent) return Urgent;
  if (entry.post == 0) return Bulk;
  const auto post = posts_.find(entry.post);
  return post == posts_.end() || post->second <= SingleCopies ? Single : Bulk;
}

void Scheduler::forgetPost(std::uint64_t post) {
  const auto found = posts_.find(post);
  if (found != posts_.end() && --found->second == 0) posts_.erase(found);
}

// Gives the lane a place in the turn, where it has something ready.
void Scheduler::offer(Lane lane, LaneState& state) {
  for (const auto kind : {Urgent, Single, Bulk})
    if (!state.ready[kind].empty() && !std::exchange(state.inTurn[kind], true)) turns_[kind].push_back(lane);
}

bool Scheduler::hasTurn() const {
  return std::any_of(turns_.begin(), turns_.end(), [](const auto& turn) { return !turn.empty(); });
}

void Scheduler::fireTimers(TimePoint now) {
  const auto micros = toMicros(now);
  while (!due_.empty() && due_.top().at <= micros) {
    const auto timer = due_.top();
    due_.pop();
    const auto found = copies_.find(timer.id);
    if (found != copies_.end() && found->second.state == State::Waiting && found->second.due <= micros)
      makeReady(timer.id, found->second);
  }
  while (!rests_.empty() && rests_.top().at <= micros) {
    const auto lane = rests_.top().id;
    rests_.pop();
    if (const auto found = lanes_.find(lane); found != lanes_.end()) offer(lane, found->second);
  }
}

std::optional<Scheduler::Lane> Scheduler::openLane(TimePoint now) {
  fireTimers(now);
  if (connections_ >= options_.connections) return std::nullopt;
  if (auto lane = openFrom(Urgent, now)) return lane;
  const bool bulkFirst = ++opened_ % BulkShare == 0;
  if (auto lane = openFrom(bulkFirst ? Bulk : Single, now)) return lane;
  return openFrom(bulkFirst ? Single : Bulk, now);
}

std::optional<Scheduler::Lane> Scheduler::openFrom(Class kind, TimePoint now) {
  auto& turn = turns_[kind];
  const auto shared = options_.connections - options_.connections / 4;
  for (auto count = turn.size(); count > 0; --count) {
    const auto lane = turn.front();
    turn.pop_front();
    const auto found = lanes_.find(lane);
    if (found == lanes_.end()) continue;
    auto& state = found->second;
    state.inTurn[kind] = false;
    if (state.ready[kind].empty()) continue;
    // Offered again by closeLane(), laneReached() or when its rest ends.
    if (state.restsUntil > toMicros(now) || state.connections >= state.limit) continue;
    if (kind == Bulk && connections_ >= bulkConnections()) {
      turn.push_front(lane);
      state.inTurn[kind] = true;
      return std::nullopt;
    }
    if (state.connections > 0 && connections_ >= shared) {
      offer(lane, state);
      continue;
    }
    ++state.connections;
    ++connections_;
    offer(lane, state);
    return lane;
  }
  return std::nullopt;
}

void Scheduler::closeLane(Lane lane) {
  auto& state = lanes_.at(lane);
  --state.connections;
  --connections_;
  offer(lane, state);
  dropLaneIfUnused(lane);
}

void Scheduler::laneReached(Lane lane) {
  auto& state = lanes_.at(lane);
  state.failures = 0;
  state.restsUntil = 0;
  state.limit = std::min(options_.connectionsPerLane, state.slowed ? state.limit + 1 : state.limit * 2);
  offer(lane, state);
}

void Scheduler::laneSlowed(Lane lane) {
  auto& state = lanes_.at(lane);
  state.slowed = true;
  state.limit = std::max<std::uint32_t>(1, state.limit / 2);
}

TimePoint Scheduler::laneFailed(Lane lane, TimePoint now) {
  auto& state = lanes_.at(lane);
  state.limit = 1;
  // Connections that fail together are one failure.
  if (state.restsUntil <= toMicros(now)) {
    state.restsUntil = toMicros(now + backOff(++state.failures));
    rests_.push({state.restsUntil, lane});
  }
  return fromMicros(state.restsUntil);
}

bool Scheduler::shouldYield() const {
  if (connections_ >= options_.connections) return hasTurn();
  return connections_ >= bulkConnections() && !turns_[Bulk].empty();
}

bool Scheduler::hasReady(Lane lane) const {
  const auto& state = lanes_.at(lane);
  return std::any_of(state.ready.begin(), state.ready.end(), [](const auto& keys) { return !keys.empty(); });
}

TlsNeed Scheduler::need(Lane lane) const {
  return lanes_.at(lane).need;
}

Scheduler::Job Scheduler::jobOf(std::uint64_t key, const Entry& entry) const {
  return {key, entry.attempts, domains_[entry.domain].name, fromMicros(entry.expires), fromMicros(entry.queued)};
}

std::optional<Scheduler::Job> Scheduler::takeFrom(std::deque<std::uint64_t>& ready, Lane lane, TimePoint now) {
  while (!ready.empty()) {
    const auto key = ready.front();
    ready.pop_front();
    const auto found = copies_.find(key);
    if (found == copies_.end() || found->second.state != State::Ready || found->second.lane != lane) continue;
    if (found->second.expires <= toMicros(now)) continue;  // takeExpired() has it
    found->second.state = State::Out;
    return jobOf(key, found->second);
  }
  return std::nullopt;
}

std::optional<Scheduler::Job> Scheduler::next(Lane lane, TimePoint now) {
  fireTimers(now);
  auto& state = lanes_.at(lane);
  if (state.slowed && state.connections > state.limit) return std::nullopt;  // the server asked for less
  if (auto job = takeFrom(state.ready[Urgent], lane, now)) return job;
  const bool bulkFirst = ++state.takes % BulkShare == 0;
  if (auto job = takeFrom(state.ready[bulkFirst ? Bulk : Single], lane, now)) return job;
  return takeFrom(state.ready[bulkFirst ? Single : Bulk], lane, now);
}

void Scheduler::finish(std::uint64_t key) {
  remove(key);
}

void Scheduler::defer(std::uint64_t key, TimePoint until, TimePoint now) {
  if (const auto found = copies_.find(key); found != copies_.end()) ++found->second.attempts;
  putBack(key, until, now);
}

void Scheduler::putBack(std::uint64_t key, TimePoint until, TimePoint now) {
  const auto found = copies_.find(key);
  if (found == copies_.end() || found->second.state != State::Out) return;
  auto& entry = found->second;
  entry.state = State::Waiting;
  entry.due = toMicros(until);
  if (entry.expires <= toMicros(now) && !entry.held) expiry_.push({entry.expires, key});
  detach(entry);  // the route may have changed meanwhile
  attach(entry);
  schedule(key, entry, now);
}

void Scheduler::extend(std::uint64_t key, TimePoint until, TimePoint now) {
  const auto found = copies_.find(key);
  if (found == copies_.end() || found->second.state != State::Out) return;
  ++found->second.attempts;
  found->second.expires = toMicros(until + options_.maxRetry);
  if (!found->second.held) expiry_.push({found->second.expires, key});
  putBack(key, until, now);
}

std::chrono::microseconds Scheduler::backOff(std::uint32_t failures) {
  auto delay = options_.firstRetry;
  for (std::uint32_t i = 1; i < failures && delay < options_.maxRetry; ++i) delay *= 2;
  delay = std::min(delay, options_.maxRetry);
  // Jitter of a fifth, so that what failed together does not come back together.
  std::uniform_int_distribution<std::int64_t> jitter(delay.count() * 4 / 5, delay.count() * 6 / 5);
  return std::chrono::microseconds(jitter(random_));
}

TimePoint Scheduler::retryAt(std::uint32_t attempts, TimePoint now) {
  return now + backOff(attempts);
}

std::vector<Scheduler::Job> Scheduler::takeExpired(TimePoint now) {
  std::vector<Job> expired;
  while (!expiry_.empty() && expiry_.top().at <= toMicros(now)) {
    const auto timer = expiry_.top();
    expiry_.pop();
    const auto found = copies_.find(timer.id);
    if (found == copies_.end() || found->second.expires != timer.at) continue;
    // One that is out or held gets its timer again when that ends.
    if (found->second.state == State::Out || found->second.held) continue;
    found->second.state = State::Out;
    expired.push_back(jobOf(timer.id, found->second));
  }
  return expired;
}

std::optional<TimePoint> Scheduler::nextDue() const {
  std::optional<std::int64_t> first;
  for (const auto* timers : {&due_, &expiry_, &rests_})
    if (!timers->empty() && (!first || timers->top().at < *first)) first = timers->top().at;
  return first ? std::optional(fromMicros(*first)) : std::nullopt;
}

}  // namespace postern::gateway
