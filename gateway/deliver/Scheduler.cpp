#include "gateway/deliver/Scheduler.h"

#include <algorithm>

namespace postern::gateway {

namespace {

constexpr std::uint32_t FirstConnections = 2;  // of a lane that has not answered yet

}  // namespace

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
  const auto name = hopName_(domains_[entry.domain].name) + (entry.verified ? " verified" : "");
  auto [known, isNew] = laneByName_.try_emplace(name, lastLane_ + 1);
  if (isNew) {
    ++lastLane_;
    auto& lane = lanes_[lastLane_];
    lane.name = name;
    lane.verified = entry.verified;
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
  entry.attempts = copy.attempts;
  entry.urgent = copy.kind != app::Copy::Kind::Content;
  entry.verified = copy.protection == app::Protection::Tls && copy.kind == app::Copy::Kind::Content;
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
  (entry.urgent ? lane.urgent : lane.bulk).push_back(key);
  offer(entry.lane, lane);
}

// Gives the lane a place in the turn, where it has something ready.
void Scheduler::offer(Lane lane, LaneState& state) {
  if (!state.urgent.empty() && !std::exchange(state.inUrgentTurn, true)) urgentTurn_.push_back(lane);
  if (!state.bulk.empty() && !std::exchange(state.inTurn, true)) turn_.push_back(lane);
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
  if (auto lane = openFrom(urgentTurn_, true, now)) return lane;
  return openFrom(turn_, false, now);
}

std::optional<Scheduler::Lane> Scheduler::openFrom(std::deque<Lane>& turn, bool urgent, TimePoint now) {
  const auto shared = options_.connections - options_.connections / 4;
  for (auto count = turn.size(); count > 0; --count) {
    const auto lane = turn.front();
    turn.pop_front();
    const auto found = lanes_.find(lane);
    if (found == lanes_.end()) continue;
    auto& state = found->second;
    (urgent ? state.inUrgentTurn : state.inTurn) = false;
    if ((urgent ? state.urgent : state.bulk).empty()) continue;
    // Offered again by closeLane(), laneReached() or when its rest ends.
    if (state.restsUntil > toMicros(now) || state.connections >= state.limit) continue;
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
  state.limit = std::min(options_.connectionsPerLane, state.limit * 2);
  offer(lane, state);
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
  return connections_ >= options_.connections && hasTurn();
}

bool Scheduler::hasReady(Lane lane) const {
  const auto& state = lanes_.at(lane);
  return !state.urgent.empty() || !state.bulk.empty();
}

bool Scheduler::needsVerified(Lane lane) const {
  return lanes_.at(lane).verified;
}

Scheduler::Job Scheduler::jobOf(std::uint64_t key, const Entry& entry) const {
  return {key, entry.attempts, domains_[entry.domain].name, fromMicros(entry.expires)};
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
  if (auto job = takeFrom(state.urgent, lane, now)) return job;
  return takeFrom(state.bulk, lane, now);
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
