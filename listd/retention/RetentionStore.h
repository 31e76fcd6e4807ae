#pragma once
#include "core/records/Rule.h"
#include "core/store/Database.h"

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One use of the destruction gate: the daily run, or what a person asked for.
struct Run {
  std::uint64_t id = 0;
  std::string caller;
  TimePoint at;
  TimePoint startedAt;
  TimePoint finishedAt;
  std::string state = "running";  // "running" "done" "stopped" (asks for approval) "refused" (clock)
  std::string startedBy;
  std::uint64_t approved = 0;                 // references that a second person allowed beyond the blast limit
  std::uint64_t candidates = 0;               // references
  std::uint64_t removed = 0;                  // references
  std::uint64_t destroyed = 0;                // objects
  std::map<std::string, std::uint64_t> kept;  // candidates that stayed, by reason
  std::string words;
};

// What a certificate says of one destroyed object.
struct Disposal {
  std::uint64_t objectId = 0;
  std::uint64_t runId = 0;
  std::uint64_t listId = 0;  // whose reference was the last
  bool done = false;
  records::Action action = records::Action::Purge;
  std::string lists;  // addresses, with commas
  TimePoint receivedAt;
  std::uint64_t size = 0;
  std::string digest;
  std::uint64_t ruleId = 0;  // 0: a person's delete after its window
  std::uint32_t ruleVersion = 0;
  TimePoint retainUntil;
  TimePoint deleteAt;
  TimePoint destroyedAt;
  TimePoint unrecoverable;  // from backups too
};

struct Certificate {
  std::uint64_t id = 0;
  std::uint64_t runId = 0;
  TimePoint madeAt;
  std::uint64_t lines = 0;
  std::string body;  // what is signed
  std::string signature;
  std::string publicKey;
};

// A deleted list whose roster, keys and settings are gone: its line of the certificate.
struct ListDisposal {
  std::uint64_t listId = 0;
  std::uint64_t runId = 0;
  std::string address;
  std::uint64_t members = 0;  // those of before among them
  TimePoint deletedAt;
  TimePoint destroyedAt;
  TimePoint unrecoverable;
};

struct Review {
  std::uint64_t objectId = 0;
  std::uint64_t listId = 0;
  std::uint64_t ruleId = 0;
  TimePoint dueAt;
  std::string state = "waiting";  // "destroy": a person said so; "kept": at least to `until`
  TimePoint until;
};

struct WhatIf {
  std::uint64_t id = 0;
  TimePoint at;
  TimePoint madeAt;
  std::string madeBy;
  nlohmann::json draft;  // {"rule": …} or {"remove": id}; null: no change
  nlohmann::json result;
};

// What countArchive gave, and under which rules.
struct CountedArchive {
  TimePoint asOf;
  std::string policy;
  nlohmann::json counts;
};

struct ClockState {
  TimePoint beatAt;
  std::optional<TimePoint> distrustedAt;
  std::string reason;
};

// What-ifs, runs, dispositions, certificates, reviews and the heartbeat. Threads: those of the connection.
// Errors: Error(Store).
class RetentionStore {
public:
  explicit RetentionStore(store::Database& database) : database_(database) {}

  std::uint64_t addWhatIf(const WhatIf& whatIf);
  std::optional<WhatIf> whatIf(std::uint64_t id) const;

  std::uint64_t addRun(const Run& run);
  void update(const Run& run);
  std::optional<Run> run(std::uint64_t id) const;
  std::vector<Run> runs(std::uint32_t limit) const;  // newest first
  std::vector<Run> openRuns() const;                 // state "running"
  std::uint64_t destroyedSince(TimePoint since) const;
  std::uint64_t destroyedByOrdersSince(TimePoint since) const;  // by reviews and erasures
  std::optional<TimePoint> lastScheduled() const;  // start of the newest scheduled or asked run that finished

  // The line of an object's certificate: begun before its key goes, done after. Exactly one for each object.
  void begin(const Disposal& disposal);
  void undo(std::uint64_t objectId);  // begun, and kept after all
  bool finish(std::uint64_t objectId, TimePoint at, TimePoint unrecoverable) {
    return finish(std::span(&objectId, 1), at, unrecoverable) == 1;
  }
  // How many lines had been begun and are done now.
  std::uint64_t finish(std::span<const std::uint64_t> objectIds, TimePoint at, TimePoint unrecoverable);
  std::vector<Disposal> begun(std::uint32_t limit) const;
  std::optional<Disposal> disposal(std::uint64_t objectId) const;
  void forEachLine(std::uint64_t runId, const std::function<void(const Disposal&)>& show) const;  // done ones
  std::uint64_t lineCount(std::uint64_t runId) const;

  // Up to `limit` done lines of a run, of objects after `after`.
  std::vector<Disposal> lines(std::uint64_t runId, std::uint64_t after, std::uint32_t limit) const;

  bool isListGone(std::uint64_t listId) const;
  // Roster and settings of the list go; what posts and tombstones say of it (address, domain, class) stays. Gives how
  // many members there were.
  std::uint64_t forgetList(std::uint64_t listId);
  void addListDisposal(const ListDisposal& list);
  std::vector<ListDisposal> listLines(std::uint64_t runId) const;

  std::uint64_t addCertificate(const Certificate& certificate);
  std::optional<Certificate> certificate(std::uint64_t id) const;
  std::optional<std::uint64_t> certificateOfRun(std::uint64_t runId) const;
  std::vector<Certificate> certificates(std::uint64_t before, std::uint32_t limit) const;  // newest first, no body

  void askReview(const Review& review);  // nothing when it is asked already
  void decideReview(const Review& review, TimePoint at, std::string_view by, std::string_view reason);
  std::optional<Review> review(std::uint64_t objectId, std::uint64_t listId) const;
  std::vector<Review> waiting(std::uint32_t limit, std::uint64_t after = 0) const;  // `after` of them left out
  std::vector<Review> decided() const;
  std::uint64_t waitingCount() const;

  std::optional<CountedArchive> counted() const;
  void setCounted(const CountedArchive& counted);

  std::optional<ClockState> clock() const;
  void beat(TimePoint at);
  void distrustClock(TimePoint at, std::string_view reason);
  void trustClock(TimePoint at);

  // Leaves no addresses behind of what was purged: ledger and attempts of the object's posts go, the posts keep dates
  // and counts. Anonymise: a pseudonym stands in the place of each address.
  void purgePosts(std::uint64_t objectId) { purgePosts(std::span(&objectId, 1)); }
  void purgePosts(std::span<const std::uint64_t> objectIds);
  void anonymisePosts(std::uint64_t objectId, const std::function<std::string(std::string_view)>& pseudonym);

private:
  store::Database& database_;
};

}  // namespace postern::listd
