#pragma once
#include "core/base/Clock.h"
#include "core/records/Disposition.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Who wants something destroyed. Every caller is named here; a test enumerates them against the sources.
enum class DestructionCaller { RetentionRun, Review, PersonDelete, Erasure, ListDeletion, FailedIntake };

// The only way by which stored content is destroyed. It decides again, in the destroying transaction, from the primary
// rows and from the content itself where a rule or hold needs it, never from the index; what cannot be computed is
// kept. Each object that is destroyed gets exactly one certificate line; each refusal is counted and audited with its
// reason.
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
    std::string kept;        // why not: "held" "not-due" "unsent" "clock" "error" "review" …
    std::string words;       // the same for people; never names a silent hold to those who may not see it
  };
  // Durable on return; resumable: what was begun when the process died is completed by finishBegun().
  std::vector<Verdict> dispose(DestructionCaller caller, std::uint64_t runId, const std::vector<Target>& targets);
  void finishBegun();

  explicit DestructionGate(SiteContext& context);
  ~DestructionGate();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::listd
