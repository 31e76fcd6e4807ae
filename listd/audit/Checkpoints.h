#pragma once
#include "core/audit/Checkpoint.h"
#include "core/audit/LogFile.h"
#include "listd/site/SiteContext.h"

#include <optional>
#include <string>

namespace postern::listd {

// The key that signs the log's checkpoints. It lies in keys.db under the root key, which listd alone opens; made on
// first use. Its name is the log's origin: HOST/audit/LOGID.
audit::SignerKey auditKey(SiteContext& context);

enum class CheckpointIf {
  Changed,  // something happened since the newest one
  Always,   // … or at least an entry was added; after purge, release and restore, and at shutdown
};

// Signs the log as it stands; durable when it returns. Gives the newest checkpoint back, made now or before, or nothing
// while the log is empty. Not to be called from inside a job of SiteStore::write. Errors: Error(Store), Error(Crypto).
std::optional<audit::StoredCheckpoint> makeCheckpoint(SiteContext& context, CheckpointIf when);

// Replaces the key: two entries, signed by the old and the new one, then a checkpoint by the new one. When the process
// ends in between, the entries stand and the old key goes on; the change is then made again.
void changeAuditKey(SiteContext& context, const std::string& actor);

}  // namespace postern::listd
