// The part of Scheduler that knows lanes: who shares connections, and whose turn it is.
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

constexpr std::array<TlsNeed, 4> Needs = {TlsNeed::Usual, TlsNeed::Protection, TlsNeed::Asked, TlsNeed::Waived};
constexpr std::uint32_t TakesInTurn = 16;  // before a connection is left to a lane of the same destination

std::string hostOfWay(const std::string& via) {
  const auto colon = via.rfind(':');
  auto host = via.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

std::string Scheduler::hopOf(const Domain& domain) const {
  return domain.via.empty() ? hopName_(domain.name) : domain.name + " via " + domain.via;
}

Scheduler::Shape Scheduler::shapeOf(const Domain& domain) const {
  if (!shapeOf_) return {};
  return shapeOf_(domain.via.empty() ? domain.name : hostOfWay(domain.via));
}

Scheduler::Destination& Scheduler::destinationOf(const std::string& hop, const Domain& domain) {
  // Some are kept without lanes, for what they sent in the last minute.
  if (destinations_.size() > 2 * lanes_.size() + 1000)
    std::erase_if(destinations_, [](const auto& item) { return item.second.lanes == 0; });
  auto& destination = destinations_[hop];
  destination.name = hop;
  if (destination.lanes == 0) destination.shape = shapeOf(domain);
  return destination;
}

std::uint32_t Scheduler::limitOf(const LaneState& lane) const {
  const auto set = lane.destination->shape.connections;
  return set == 0 ? options_.connectionsPerLane : set;
}

// Puts the copy into the lane of its next hop as it is now.
void Scheduler::attach(Entry& entry) {
  const auto& domain = domains_[entry.domain];
  const auto hop = hopOf(domain);
  const auto name = hop + laneSuffix(entry.need);
  auto [known, isNew] = laneByName_.try_emplace(name, lastLane_ + 1);
  if (isNew) {
    ++lastLane_;
    auto& destination = destinationOf(hop, domain);
    ++destination.lanes;
    auto& lane = lanes_[lastLane_];
    lane.name = name;
    lane.destination = &destination;
    lane.need = entry.need;
    lane.limit = std::min(FirstConnections, limitOf(lane));
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
  rests_.erase({found->second.restsUntil, lane});
  auto& destination = *found->second.destination;
  if (--destination.lanes == 0 && destination.shape.perMinute == 0) destinations_.erase(std::string(destination.name));
  laneByName_.erase(found->second.name);
  lanes_.erase(found);
}

// Gives the lane a place in the turn, where it has something ready.
void Scheduler::offer(Lane lane, LaneState& state) {
  for (const auto kind : {Urgent, Single, Bulk})
    if (!state.ready[kind].empty() && !std::exchange(state.inTurn[kind], true)) turns_[kind].push_back(lane);
}

bool Scheduler::hasTurn() const {
  return std::any_of(turns_.begin(), turns_.end(), [](const auto& turn) { return !turn.empty(); });
}

std::optional<Scheduler::Lane> Scheduler::openLane(TimePoint now) {
  fireTimers(now);
  if (connections_ >= options_.connections) return std::nullopt;
  if (auto lane = openFrom(Urgent, now)) return lane;
  const bool bulkFirst = ++opened_ % BulkShare == 0;
  if (auto lane = openFrom(bulkFirst ? Bulk : Single, now)) return lane;
  return openFrom(bulkFirst ? Single : Bulk, now);
}

// What it refuses is offered again: by closeLane(), laneReached() or rerouted(), or when the time comes.
bool Scheduler::mayOpen(Lane lane, const LaneState& state, TimePoint now) {
  const auto& destination = *state.destination;
  const auto& shape = destination.shape;
  if (shape.paused || state.restsUntil > toMicros(now) || state.connections >= state.limit) return false;
  if (shape.connections > 0 && destination.connections >= shape.connections) return false;
  if (shape.perMinute == 0 || destination.nextSlot <= toMicros(now)) return true;
  rests_.insert({destination.nextSlot, lane});
  return false;
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
    if (state.ready[kind].empty() || !mayOpen(lane, state, now)) continue;
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
    ++state.destination->connections;
    ++connections_;
    offer(lane, state);
    return lane;
  }
  return std::nullopt;
}

void Scheduler::closeLane(Lane lane) {
  auto& state = lanes_.at(lane);
  --state.connections;
  --state.destination->connections;
  --connections_;
  if (state.destination->lanes > 1)
    for (const auto need : Needs)
      if (const auto other = laneByName_.find(state.destination->name + laneSuffix(need)); other != laneByName_.end())
        if (other->second != lane) offer(other->second, lanes_.at(other->second));
  offer(lane, state);
  dropLaneIfUnused(lane);
}

void Scheduler::laneReached(Lane lane) {
  auto& state = lanes_.at(lane);
  state.failures = 0;
  rests_.erase({state.restsUntil, lane});
  state.restsUntil = 0;
  state.limit = std::min(limitOf(state), state.slowed ? state.limit + 1 : state.limit * 2);
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
    rests_.erase({state.restsUntil, lane});
    state.restsUntil = toMicros(now + backOff(++state.failures, state.destination->shape));
    rests_.insert({state.restsUntil, lane});
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

std::size_t Scheduler::readyPlaces() const {
  std::size_t places = 0;
  for (const auto& [number, lane] : lanes_)
    for (const auto& ready : lane.ready) places += ready.size();
  return places;
}

TlsNeed Scheduler::need(Lane lane) const {
  return lanes_.at(lane).need;
}

std::optional<TimePoint> Scheduler::slotOf(Lane lane) const {
  const auto& destination = *lanes_.at(lane).destination;
  if (destination.shape.perMinute == 0 || destination.shape.paused || !hasReady(lane)) return std::nullopt;
  return fromMicros(destination.nextSlot);
}

std::optional<Scheduler::Job> Scheduler::takeFrom(std::deque<std::uint64_t>& ready, Lane lane, TimePoint now) {
  while (!ready.empty()) {
    const auto key = ready.front();
    ready.pop_front();
    const auto found = copies_.find(key);
    if (found == copies_.end() || found->second.state != State::Ready || found->second.lane != lane) continue;
    if (found->second.expires <= toMicros(now)) continue;  // takeExpired() has it
    takeOut(key, found->second);
    auto& destination = *lanes_.at(lane).destination;
    if (const auto perMinute = destination.shape.perMinute; perMinute > 0)
      destination.nextSlot = std::max(destination.nextSlot, toMicros(now)) + 60'000'000 / perMinute;
    return jobOf(key, found->second);
  }
  return std::nullopt;
}

// Whether a lane with the same next hop has mail and no connection, while the destination has all it may have.
bool Scheduler::othersStarve(Lane lane, const LaneState& state, TimePoint now) const {
  const auto& destination = *state.destination;
  const auto most = destination.shape.connections;
  if (destination.lanes < 2 || most == 0 || destination.connections < most) return false;
  return std::any_of(Needs.begin(), Needs.end(), [&](TlsNeed need) {
    const auto other = laneByName_.find(destination.name + laneSuffix(need));
    if (other == laneByName_.end() || other->second == lane || !hasReady(other->second)) return false;
    const auto& found = lanes_.at(other->second);
    return found.connections == 0 && found.restsUntil <= toMicros(now);
  });
}

std::optional<Scheduler::Job> Scheduler::next(Lane lane, TimePoint now) {
  fireTimers(now);
  auto& state = lanes_.at(lane);
  auto& destination = *state.destination;
  if (destination.shape.paused) return std::nullopt;
  if (state.slowed && state.connections > state.limit) return std::nullopt;  // the server asked for less
  const auto most = destination.shape.connections;
  if (most > 0 && destination.connections > most) return std::nullopt;  // the site did
  if (const auto perMinute = destination.shape.perMinute; perMinute > 0) {
    // A clock that was set back must not keep it waiting.
    destination.nextSlot = std::min(destination.nextSlot, toMicros(now) + 60'000'000 / perMinute);
    if (destination.nextSlot > toMicros(now)) {
      rests_.insert({destination.nextSlot, lane});
      return std::nullopt;
    }
  }
  const auto turn = ++state.takes;
  if (turn % TakesInTurn == 0 && othersStarve(lane, state, now)) return std::nullopt;
  if (auto job = takeFrom(state.ready[Urgent], lane, now)) return job;
  const bool bulkFirst = turn % BulkShare == 0;
  if (auto job = takeFrom(state.ready[bulkFirst ? Bulk : Single], lane, now)) return job;
  return takeFrom(state.ready[bulkFirst ? Single : Bulk], lane, now);
}

// Of so many failures; with a jitter of a fifth, so that what failed together does not come back together.
std::chrono::microseconds Scheduler::backOff(std::uint32_t failures, const Shape& shape) {
  auto delay = options_.firstRetry;
  if (!shape.retry.empty()) {
    delay = shape.retry[std::min<std::size_t>(std::max<std::uint32_t>(failures, 1) - 1, shape.retry.size() - 1)];
  } else {
    for (std::uint32_t i = 1; i < failures && delay < options_.maxRetry; ++i) delay *= 2;
    delay = std::min(delay, options_.maxRetry);
  }
  std::uniform_int_distribution<std::int64_t> jitter(delay.count() * 4 / 5, delay.count() * 6 / 5);
  return std::chrono::microseconds(jitter(random_));
}

TimePoint Scheduler::retryAt(std::uint32_t attempts, TimePoint now, const std::string& domain) {
  return now + backOff(attempts, shapeOf_ && !domain.empty() ? shapeOf_(domain) : Shape());
}

Scheduler::DestinationLook Scheduler::lookAt(const std::string& domain) const {
  DestinationLook look;
  const auto hop = hopName_(domain);
  look.shape = shapeOf({domain, {}, 0});
  for (const auto need : Needs) {
    const auto known = laneByName_.find(hop + laneSuffix(need));
    if (known == laneByName_.end()) continue;
    const auto& lane = lanes_.at(known->second);
    look.connections += lane.connections;
    look.limit += lane.limit;
    look.restsUntil = std::max(look.restsUntil, fromMicros(lane.restsUntil));
  }
  return look;
}

}  // namespace postern::gateway
