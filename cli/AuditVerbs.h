#pragma once
#include "cli/Context.h"
#include "cli/OrderVerbs.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace postern::cli {

// The verbs of the audit log that are orders.
std::vector<OrderVerb> auditVerbs();

// Where `postern audit verify` and its like look; empty: the site's own.
struct AuditFiles {
  std::string database;
  std::string publicKey;
  std::string anchors;
};

// `postern audit verify`: works on the file alone, also of a copy. Returns the exit codes 0 to 7 of docs/audit.md.
Exit verifyAudit(const Context& context, const AuditFiles& files, std::uint64_t from);
// `postern audit prove`: that one entry is in the newest checkpoint, for somebody who sees no other entry.
Exit proveAudit(const Context& context, const AuditFiles& files, std::uint64_t seq);
Exit proveAuditConsistency(const Context& context, const AuditFiles& files, std::uint64_t from, std::uint64_t to);
Exit exportAudit(const Context& context, const AuditFiles& files, std::uint64_t from, std::uint64_t to);

// `postern audit declare-rollback`: asks that the log say that a restore put it back, with the anchors as proof.
Exit declareAuditRollback(const Context& context, const AuditFiles& files, const std::string& reason);

// `postern audit anchor`: asks listd for the newest checkpoint and carries it to all places of section [audit].
Exit anchorAudit(const Context& context);

}  // namespace postern::cli
