#pragma once
#include "core/app/GatewayLink.h"
#include "core/crypto/Digest.h"
#include "listd/audit/AuditLog.h"
#include "listd/site/LedgerStore.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace postern::listd {

// What a batch of the gateway's events leaves in the audit log: one entry for the deliveries (posts, counts by outcome,
// protection and TLS, and a digest of the ledger rows, so that the ledger cannot be changed behind the log's back) and
// one for the mail that was refused at the door, by reason. Use once. Threads: one at a time.
class DeliveryEntry {
public:
  void add(const LedgerRow& row, const app::DeliveryEvent& event);
  void add(const app::RefusalEvent& event);

  // Nothing for a batch that brought nothing new.
  void appendTo(AuditLog& log);

private:
  std::uint64_t copies_ = 0;
  std::set<std::uint64_t> posts_;
  std::map<std::string, std::uint64_t> counts_;  // "outcome delivered", "protection smime", "tls TLSv1.3 …"
  std::map<std::string, std::uint64_t> refusals_;
  crypto::Sha256 rows_;
};

}  // namespace postern::listd
