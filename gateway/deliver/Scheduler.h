#pragma once
#include "gateway/deliver/CopyQueue.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace postern::gateway {

// When which copy is tried. Copies that share a next hop (and the need for verified TLS) are a lane; a lane has
// connections, up to a limit that it has to earn, and rests after connections failed.
//
// Invariants: 1. A copy is out at one place at a time: from next() or takeExpired() until finish(), defer() or
// putBack() nobody else gets it. 2. Notices and reports go before content, within a lane and between lanes. 3. Lanes
// take turns.
// 4. A lane that has not answered yet has few connections, and a quarter of all connections is kept for lanes that
// have none, so that some slow destinations do not use up the pool. 5. What is held, not yet due or expired is never
// given out by next(). 6. What is held does not expire.
// Memory: about 200 bytes a copy; a lane goes with its last copy.
// Threads: one at a time, the owner locks. Time is what the caller says.
class Scheduler {
public:
  struct Options {
    std::uint32_t connectionsPerLane = 8;
    std::uint32_t connections = 100;  // of all lanes
    std::chrono::microseconds firstRetry = std::chrono::seconds(60);
    std::chrono::microseconds maxRetry = std::chrono::hours(1);
    std::chrono::microseconds expiry = std::chrono::hours(120);  // for copies that bring none
    std::uint32_t randomSeed = 1;
  };
  using Lane = std::uint64_t;
  // The name of the next hop for a domain; equal names share a lane.
  using HopName = std::function<std::string(const std::string& domain)>;

  struct Job {
    std::uint64_t key = 0;
    std::uint32_t attempts = 0;  // finished ones
    std::string domain;
    TimePoint expiresAt;
  };

  Scheduler(const Options& options, HopName hopName);

  // What the queue says.
  // Nothing happens if it is known already. One that comes with its time run out gets `maxRetry` more.
  void add(const CopySummary& copy, TimePoint now);
  void change(const CopySummary& copy, TimePoint now);  // held, released or to be tried at notBefore
  void remove(std::uint64_t key);
  // As remove, unless the copy is out: false then.
  bool withdraw(std::uint64_t key);
  void rerouted(TimePoint now);  // HopName answers differently from now on

  // A lane that should get one more connection; it counts until closeLane().
  std::optional<Lane> openLane(TimePoint now);
  void closeLane(Lane lane);
  void laneReached(Lane lane);                     // a connection stands: the lane may have more
  TimePoint laneFailed(Lane lane, TimePoint now);  // none was possible: the lane rests until then
  bool shouldYield() const;                        // other lanes wait and no connection is left for them
  bool needsVerified(Lane lane) const;             // its copies count on verified TLS

  std::optional<Job> next(Lane lane, TimePoint now);
  void finish(std::uint64_t key);                                   // had its final outcome
  void defer(std::uint64_t key, TimePoint until, TimePoint now);    // was tried once more
  void putBack(std::uint64_t key, TimePoint until, TimePoint now);  // was not tried
  TimePoint retryAt(std::uint32_t attempts, TimePoint now);         // back-off after so many attempts

  std::vector<Job> takeExpired(TimePoint now);

  void fireTimers(TimePoint now);  // what is due becomes ready; openLane() and next() do it, too
  bool hasTurn() const { return !urgentTurn_.empty() || !turn_.empty(); }
  bool hasReady(Lane lane) const;
  std::optional<TimePoint> nextDue() const;  // when time alone may make something ready
  std::size_t size() const { return copies_.size(); }
  std::size_t laneCount() const { return lanes_.size(); }

private:
  enum class State : std::uint8_t { Waiting, Ready, Out, Held };
  struct Entry {
    std::int64_t due = 0;
    std::int64_t expires = 0;
    Lane lane = 0;
    std::uint32_t domain = 0;
    std::uint32_t attempts = 0;
    State state = State::Waiting;
    bool urgent = false;
    bool verified = false;
    bool held = false;  // also while it is out
  };
  struct LaneState {
    std::string name;
    bool verified = false;
    std::deque<std::uint64_t> urgent;  // ready keys; some may be out of date
    std::deque<std::uint64_t> bulk;
    std::size_t copies = 0;
    std::uint32_t connections = 0;
    std::uint32_t limit = 0;
    std::uint32_t failures = 0;
    std::int64_t restsUntil = 0;
    bool inUrgentTurn = false;
    bool inTurn = false;
  };
  struct Timer {
    std::int64_t at;
    std::uint64_t id;
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  using Timers = std::priority_queue<Timer, std::vector<Timer>, std::greater<>>;
  struct Domain {
    std::string name;
    std::size_t copies = 0;
  };

  using Copies = std::unordered_map<std::uint64_t, Entry>;

  std::uint32_t addDomain(const std::string& name);
  void releaseDomain(std::uint32_t number);
  void attach(Entry& entry);
  void detach(Entry& entry);
  void schedule(std::uint64_t key, Entry& entry, TimePoint now);
  void makeReady(std::uint64_t key, Entry& entry);
  void offer(Lane lane, LaneState& state);
  std::optional<Lane> openFrom(std::deque<Lane>& turn, bool urgent, TimePoint now);
  std::optional<Job> takeFrom(std::deque<std::uint64_t>& ready, Lane lane, TimePoint now);
  Job jobOf(std::uint64_t key, const Entry& entry) const;
  void dropLaneIfUnused(Lane lane);
  std::chrono::microseconds backOff(std::uint32_t failures);

  const Options options_;
  const HopName hopName_;
  std::mt19937 random_;
  Copies copies_;
  std::vector<Domain> domains_;
  std::vector<std::uint32_t> freeDomains_;
  std::unordered_map<std::string, std::uint32_t> domainNumbers_;
  std::unordered_map<Lane, LaneState> lanes_;
  std::unordered_map<std::string, Lane> laneByName_;
  Lane lastLane_ = 0;
  std::deque<Lane> urgentTurn_;
  std::deque<Lane> turn_;
  std::uint32_t connections_ = 0;
  Timers due_;
  Timers expiry_;
  Timers rests_;
};

}  // namespace postern::gateway
