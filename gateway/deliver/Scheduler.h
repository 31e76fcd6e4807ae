#pragma once
#include "gateway/deliver/CopyQueue.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace postern::gateway {

// When which copy is tried. Copies that share a next hop (and the need of TLS) are a lane; a lane has
// connections, up to a limit that it has to earn, and rests after connections failed.
//
// A message with few copies is single, one with many is bulk; while only few copies of a big one are known, these count
// as single, too.
//
// Lanes that differ by their need of TLS alone share a destination, whose shape bounds their connections and messages
// a minute together. A copy that was sent another way (CopySummary::via) has the lanes of that way.
//
// Invariants: 1. A copy is out at one place at a time: from next() or takeExpired() until finish(), defer() or
// putBack() nobody else gets it. 2. Notices and reports go before content and single messages before bulk, within a
// lane and between lanes; one turn in BulkShare is bulk's first, so that neither starves. 3. Lanes take turns. An
// eighth of all connections never begins with bulk.
// 4. A lane that has not answered yet has few connections, and a quarter of all connections is kept for lanes that
// have none, so that some slow destinations do not use up the pool. 5. What is held, not yet due or expired is never
// given out by next(). 6. What is held does not expire, nor what its destination's pause keeps.
// 7. A lane whose server asks for less (laneSlowed) halves its connections and gets them back one by one.
// 8. A copy has one timer of each kind at most, and a place in `ready` or some that are swept, however often it is
// held, released or retried. Memory: about 300 bytes a copy; a lane goes with its last copy. Threads: one at a time,
// the owner locks. Time is what the caller says.
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
  static constexpr std::uint32_t SingleCopies = 20;  // a message with more copies than these here is bulk
  static constexpr std::uint32_t BulkShare = 5;
  // The name of the next hop for a domain; equal names share a lane.
  using HopName = std::function<std::string(const std::string& domain)>;
  // What was set for a destination; none of it: Options hold.
  struct Shape {
    std::uint32_t connections = 0;
    std::uint32_t perMinute = 0;
    std::vector<std::chrono::microseconds> retry;
    bool paused = false;
  };
  using ShapeOf = std::function<Shape(const std::string& destination)>;

  struct Job {
    std::uint64_t key = 0;
    std::uint32_t attempts = 0;  // finished ones
    std::string domain;
    TimePoint expiresAt;
    TimePoint queuedAt{};
    std::string via{};
  };
  // One copy as it stands.
  struct Look {
    bool known = false;
    bool out = false;
    const char* priority = "bulk";  // "urgent", "single", "bulk"
  };
  // One destination as it stands.
  struct DestinationLook {
    std::uint32_t connections = 0;
    std::uint32_t limit = 0;  // that it has earned so far; 0: it has no lane now
    TimePoint restsUntil;     // zero: it does not rest
    Shape shape;
  };

  Scheduler(const Options& options, HopName hopName, ShapeOf shapeOf = {});

  // What the queue says.
  // Nothing happens if it is known already. One that comes with its time run out gets `maxRetry` more.
  void add(const CopySummary& copy, TimePoint now);
  void change(const CopySummary& copy, TimePoint now);  // held, released or to be tried at notBefore
  void remove(std::uint64_t key);
  // As remove, unless the copy is out: false then.
  bool withdraw(std::uint64_t key);
  void rerouted(TimePoint now);  // HopName or ShapeOf answer differently from now on

  // A lane that should get one more connection; it counts until closeLane().
  std::optional<Lane> openLane(TimePoint now);
  void closeLane(Lane lane);
  void laneReached(Lane lane);                     // a connection stands: the lane may have more
  TimePoint laneFailed(Lane lane, TimePoint now);  // none was possible: the lane rests until then
  void laneSlowed(Lane lane);                      // the server asks for less, or does not answer in time
  bool shouldYield() const;                        // other lanes wait and no connection is left for them
  TlsNeed need(Lane lane) const;                   // of each of its copies

  std::optional<Job> next(Lane lane, TimePoint now);
  void finish(std::uint64_t key);                                   // had its final outcome
  void defer(std::uint64_t key, TimePoint until, TimePoint now);    // was tried once more
  void putBack(std::uint64_t key, TimePoint until, TimePoint now);  // was not tried
  // Time ran out, and it stays all the same: due at `until`, with time for a try then.
  void extend(std::uint64_t key, TimePoint until, TimePoint now);
  // Back-off after so many attempts.
  TimePoint retryAt(std::uint32_t attempts, TimePoint now, const std::string& domain = {});

  std::vector<Job> takeExpired(TimePoint now);

  void fireTimers(TimePoint now);  // what is due becomes ready; openLane() and next() do it, too
  bool hasTurn() const;
  bool hasReady(Lane lane) const;
  // When the lane may send again, where it has something ready that its messages a minute hold up.
  std::optional<TimePoint> slotOf(Lane lane) const;
  // Whether a copy that is out may still leave, this way: it was neither dropped nor held nor sent another way.
  bool mayLeave(const Job& job) const;
  Look look(std::uint64_t key) const;
  DestinationLook lookAt(const std::string& domain) const;
  const std::set<std::uint64_t>& out() const { return out_; }
  std::optional<TimePoint> nextDue() const;  // when time alone may make something ready
  std::size_t size() const { return copies_.size(); }
  std::size_t laneCount() const { return lanes_.size(); }
  std::size_t timers() const { return due_.size() + expiry_.size() + rests_.size(); }
  std::size_t readyPlaces() const;

private:
  enum class State : std::uint8_t { Waiting, Ready, Out, Held };
  enum Class : std::uint8_t { Urgent, Single, Bulk, Classes };
  struct Entry {
    std::int64_t due = 0;
    std::int64_t expires = 0;
    std::int64_t queued = 0;
    std::uint64_t post = 0;
    Lane lane = 0;
    std::uint32_t domain = 0;
    std::uint32_t attempts = 0;
    State state = State::Waiting;
    bool urgent = false;
    TlsNeed need = TlsNeed::Usual;
    bool held = false;  // also while it is out
  };
  // What the lanes of one next hop share.
  struct Destination {
    std::string name;
    Shape shape;
    std::uint32_t connections = 0;
    std::uint32_t lanes = 0;
    std::int64_t nextSlot = 0;  // no message before, where messages a minute are set
  };
  struct LaneState {
    std::string name;
    Destination* destination = nullptr;  // in destinations_
    TlsNeed need = TlsNeed::Usual;
    std::array<std::deque<std::uint64_t>, Classes> ready;  // keys; some may be out of date
    std::array<bool, Classes> inTurn{};
    std::size_t copies = 0;
    std::uint32_t connections = 0;
    std::uint32_t limit = 0;
    std::uint32_t failures = 0;
    std::int64_t restsUntil = 0;
    std::uint32_t takes = 0;
    bool slowed = false;
  };
  using Timers = std::set<std::pair<std::int64_t, std::uint64_t>>;  // time, copy or lane
  struct Domain {
    std::string name;
    std::string via;
    std::size_t copies = 0;
  };

  using Copies = std::unordered_map<std::uint64_t, Entry>;

  std::uint32_t addDomain(const std::string& name, const std::string& via);
  std::string hopOf(const Domain& domain) const;
  Shape shapeOf(const Domain& domain) const;
  Destination& destinationOf(const std::string& hop, const Domain& domain);
  void releaseDomain(std::uint32_t number);
  void attach(Entry& entry);
  void detach(Entry& entry);
  void schedule(std::uint64_t key, Entry& entry, TimePoint now);
  void makeReady(std::uint64_t key, Entry& entry);
  void giveTimeForATry(std::uint64_t key, Entry& entry, TimePoint now);
  void takeOut(std::uint64_t key, Entry& entry);
  void sweep(Lane lane, std::deque<std::uint64_t>& ready);
  void offer(Lane lane, LaneState& state);
  std::uint32_t limitOf(const LaneState& lane) const;
  bool mayOpen(Lane lane, const LaneState& state, TimePoint now);
  bool othersStarve(Lane lane, const LaneState& state, TimePoint now) const;
  std::uint32_t bulkConnections() const { return options_.connections - options_.connections / 8; }
  Class classOf(const Entry& entry) const;
  void forgetPost(std::uint64_t post);
  std::optional<Lane> openFrom(Class kind, TimePoint now);
  std::optional<Job> takeFrom(std::deque<std::uint64_t>& ready, Lane lane, TimePoint now);
  Job jobOf(std::uint64_t key, const Entry& entry) const;
  void dropLaneIfUnused(Lane lane);
  std::chrono::microseconds backOff(std::uint32_t failures, const Shape& shape);

  const Options options_;
  const HopName hopName_;
  const ShapeOf shapeOf_;
  std::mt19937 random_;
  Copies copies_;
  std::vector<Domain> domains_;
  std::vector<std::uint32_t> freeDomains_;
  std::unordered_map<std::string, std::uint32_t> domainNumbers_;
  std::unordered_map<Lane, LaneState> lanes_;
  std::unordered_map<std::string, Lane> laneByName_;
  std::unordered_map<std::string, Destination> destinations_;
  std::set<std::uint64_t> out_;
  Lane lastLane_ = 0;
  std::unordered_map<std::uint64_t, std::uint32_t> posts_;  // how many copies of each are here
  std::array<std::deque<Lane>, Classes> turns_;
  std::uint32_t opened_ = 0;
  std::uint32_t connections_ = 0;
  Timers due_;
  Timers expiry_;
  Timers rests_;
};

}  // namespace postern::gateway
