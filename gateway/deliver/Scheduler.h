#pragma once
#include "gateway/deliver/CopyQueue.h"

#include <array>
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

// When which copy is tried. Copies that share a next hop (and the need of TLS) are a lane; a lane has
// connections, up to a limit that it has to earn, and rests after connections failed.
//
// A message with few copies is single, one with many is bulk; while only few copies of a big one are known, these count
// as single, too.
//
// Invariants: 1. A copy is out at one place at a time: from next() or takeExpired() until finish(), defer() or
// putBack() nobody else gets it. 2. Notices and reports go before content and single messages before bulk, within a
// lane and between lanes; one turn in BulkShare is bulk's first, so that neither starves. 3. Lanes take turns. An
// eighth of all connections never begins with bulk.
// 4. A lane that has not answered yet has few connections, and a quarter of all connections is kept for lanes that
// have none, so that some slow destinations do not use up the pool. 5. What is held, not yet due or expired is never
// given out by next(). 6. What is held does not expire.
// 7. A lane whose server asks for less (laneSlowed) halves its connections and gets them back one by one.
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
  static constexpr std::uint32_t SingleCopies = 20;  // a message with more copies than these here is bulk
  static constexpr std::uint32_t BulkShare = 5;
  // The name of the next hop for a domain; equal names share a lane.
  using HopName = std::function<std::string(const std::string& domain)>;

  struct Job {
    std::uint64_t key = 0;
    std::uint32_t attempts = 0;  // finished ones
    std::string domain;
    TimePoint expiresAt;
    TimePoint queuedAt{};
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
  void laneSlowed(Lane lane);                      // the server asks for less, or does not answer in time
  bool shouldYield() const;                        // other lanes wait and no connection is left for them
  TlsNeed need(Lane lane) const;                   // of each of its copies

  std::optional<Job> next(Lane lane, TimePoint now);
  void finish(std::uint64_t key);                                   // had its final outcome
  void defer(std::uint64_t key, TimePoint until, TimePoint now);    // was tried once more
  void putBack(std::uint64_t key, TimePoint until, TimePoint now);  // was not tried
  // Time ran out, and it stays all the same: due at `until`, with time for a try then.
  void extend(std::uint64_t key, TimePoint until, TimePoint now);
  TimePoint retryAt(std::uint32_t attempts, TimePoint now);  // back-off after so many attempts

  std::vector<Job> takeExpired(TimePoint now);

  void fireTimers(TimePoint now);  // what is due becomes ready; openLane() and next() do it, too
  bool hasTurn() const;
  bool hasReady(Lane lane) const;
  std::optional<TimePoint> nextDue() const;  // when time alone may make something ready
  std::size_t size() const { return copies_.size(); }
  std::size_t laneCount() const { return lanes_.size(); }

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
  struct LaneState {
    std::string name;
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
  std::uint32_t bulkConnections() const { return options_.connections - options_.connections / 8; }
  Class classOf(const Entry& entry) const;
  void forgetPost(std::uint64_t post);
  std::optional<Lane> openFrom(Class kind, TimePoint now);
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
  std::unordered_map<std::uint64_t, std::uint32_t> posts_;  // how many copies of each are here
  std::array<std::deque<Lane>, Classes> turns_;
  std::uint32_t opened_ = 0;
  std::uint32_t connections_ = 0;
  Timers due_;
  Timers expiry_;
  Timers rests_;
};

}  // namespace postern::gateway
