#pragma once
#include "core/audit/Entry.h"
#include "core/base/Clock.h"
#include "core/records/Disposition.h"
#include "listd/retention/ContentAnswers.h"
#include "listd/retention/Remnants.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Who wants something destroyed. Every caller is named here; a test enumerates them against the sources.
// PersonDelete: what a person deleted, after the recovery window. Erasure: what nothing retains goes at once;
// Quarantine likewise: held mail that was deleted, or whose time is over.
enum class DestructionCaller { RetentionRun, Review, PersonDelete, Erasure, ListDeletion, Quarantine };
const char* callerWord(DestructionCaller caller);  // "retention-run" …

// What the gate stands on; tests put faults here.
struct GateParts {
  // Destroys keys for good, tombstones included. With none: wipes what is left of those that went before, the contents
  // and the old pages of keys.db. May be repeated.
  std::function<void(std::span<const std::uint64_t>)> destroy;
  std::function<bool(std::span<const std::uint64_t>)> hasKey;  // whether any of them still has its key
  std::function<void(SiteTables&, const audit::Event&, TimePoint)> record;
  ContentAnswers* answers = nullptr;  // null: no condition on content can be answered, and what needs one is kept

  static GateParts of(SiteContext& context, ContentAnswers* answers);
};

// The only way by which stored content is destroyed. It decides again, in the destroying transaction, from the primary
// rows and from the content itself where a rule or hold needs it, never from the index; what cannot be computed is
// kept. Each object that is destroyed gets exactly one certificate line; each refusal is audited with its reason.
// Order, for crashes: the object is marked and its certificate line begun, durably; then, in one job of the writer, the
// decision is made again, the rows are finished and the keys go last. When that job's commit is lost, the line is
// finished at the next start, since the key is gone; when the key is still there, the mark is taken back.
// Holds are placed by the same writer, so that none can come between the last decision and the key.
// Threads: safe for all. Errors: none: whatever breaks keeps ("error"), and is logged.
class DestructionGate {
public:
  struct Target {
    std::uint64_t objectId = 0;
    std::uint64_t listId = 0;  // the reference to remove
  };
  struct Verdict {
    Target target;
    bool removed = false;    // the reference is gone
    bool destroyed = false;  // … and the object with it
    std::string kept;   // why not: "held" "not-due" "never-due" "unsent" "review" "clock" "register" "gone" "error"
    std::string words;  // the same for people; never names a hold
  };
  // As those may read it who must not learn of silent holds: what a hold keeps and what a review keeps are one.
  static std::string publicReason(const std::string& kept) {
    return kept == "held" || kept == "review" ? "must-be-kept" : kept;
  }
  // Durable on return. runId 0: a run of its own, with its certificate, and nothing is left in the files on return.
  // Within a run the remnants are wiped beside what follows; cleanUp() waits for that.
  std::vector<Verdict> dispose(DestructionCaller caller, std::uint64_t runId, const std::vector<Target>& targets);
  // Roster, keys and settings of lists that were deleted, once the recovery window is over, nothing of the list is
  // kept, and no hold may cover it. Each gets a line of the run's certificate. How many went; durable on return.
  std::size_t disposeLists(std::uint64_t runId);
  // Tries again to wipe what a destruction had to leave in the files, if there is any; gives what is left. Each minute,
  // and before a certificate is written.
  Remnants cleanUp();
  Remnants remnants() const;  // as of the last try
  // Settles what was begun when the process died.
  void finishBegun();

  explicit DestructionGate(SiteContext& context, ContentAnswers* answers = nullptr);
  DestructionGate(SiteContext& context, GateParts parts);
  ~DestructionGate();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::listd
