#pragma once
#include "core/audit/Checkpoint.h"
#include "core/audit/LogFile.h"
#include "core/base/Clock.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace postern::audit {

// Actions that verification understands; their details are in docs/audit.md.
constexpr std::string_view RollbackAction = "audit.rollback-declared";
constexpr std::string_view KeyRetiredAction = "audit.key-retired";  // signed by the old key
constexpr std::string_view KeyBegunAction = "audit.key-begun";      // the same, signed by the new one
constexpr std::string_view AnchoredAction = "audit.anchored";
constexpr std::string_view CheckpointAction = "audit.checkpoint";

// What a verification found; the value is the exit code of `postern audit verify` and of tools/audit-verify.
enum class Finding : std::uint8_t {
  Intact = 0,     // up to the newest anchor
  Altered = 1,    // an entry
  Broken = 2,     // order, chain or a gap
  Truncated = 3,  // shorter than an anchor
  Rewritten = 4,  // another root at an anchored size
  BadSignature = 5,
  Unanchored = 6,   // anchors missing or stale
  DeclaredGap = 7,  // a restore put the log back and said so
};

struct Verdict {
  Finding finding = Finding::Intact;
  std::optional<std::uint64_t> seq;  // the first entry that is wrong
  std::string text;                  // one sentence for a person
  std::uint64_t size = 0;            // entries that were looked at, from the first
  std::string root;
  std::uint64_t anchoredSize = 0;  // of the newest anchor that holds
};

struct VerifyOptions {
  std::vector<VerifierKey> keys;     // believed; one of them suffices, key changes lead to the others
  std::vector<std::string> anchors;  // signed checkpoints kept elsewhere
  std::uint64_t from = 0;            // entries before it are taken from the stored nodes
  TimePoint now;
  std::chrono::hours stale{24};  // an entry that no anchor covers for so long
};

// Looks at every entry, the chain, the tree, all checkpoints and anchors. The first of Altered, Broken, BadSignature,
// Truncated, Rewritten, DeclaredGap, Unanchored that applies is the verdict.
Verdict verifyLog(const LogFile& log, const VerifyOptions& options);

// The checkpoints in a folder of anchors: files named *.checkpoint. Throws Error(Io).
std::vector<std::string> readAnchors(const std::filesystem::path& folder);

}  // namespace postern::audit
