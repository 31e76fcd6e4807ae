#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "listd/audit/AuditLog.h"
#include "listd/retention/RetentionStore.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A span of time: from inclusive, until exclusive.
struct ReportSpan {
  TimePoint from;
  TimePoint until;
};

// Copies of a list on a day that went the same way.
struct DeliveryGroup {
  std::int64_t day = 0;  // days since the epoch
  std::string list;
  bool secure = false;
  std::string protection;
  std::string state;
  std::string tlsVersion;  // of the attempt that delivered; empty: none, or not delivered
  std::string tlsCipher;
  std::string tlsVerification;
  std::string exception;  // empty: as it should be
  std::uint64_t copies = 0;
};

// What is kept of a list.
struct ListHoldings {
  std::uint64_t listId = 0;
  std::uint64_t objects = 0;  // references that are there
  std::uint64_t newestObject = 0;
};

// Content of a list that somebody of the staff read or took away.
struct ContentAccess {
  std::uint64_t seq = 0;
  std::string entry;          // canonical bytes
  std::uint64_t objects = 0;  // of the list
};

// A post by the moment at which it came.
struct PostPlace {
  TimePoint receivedAt = {};
  std::uint64_t id = 0;
  std::uint64_t listId = 0;
};

// Reads for reports what the other stores wrote; changes nothing. Lists of any length come in pages.
// Threads: those of the connection. Errors: Error(Store).
class ReportStore {
public:
  explicit ReportStore(store::Database& database) : database_(database) {}

  // Exceptions first, the worst of them at the top, then newest day first.
  std::vector<DeliveryGroup> deliveries(const ReportSpan& span) const;
  // Posts of a list or (0) of all, as they came, from this place on until before that time.
  std::vector<PostPlace> postsBetween(const PostPlace& from, TimePoint until, std::uint64_t listId,
                                      std::uint32_t limit) const;
  std::uint64_t oldTlsDeliveries() const;  // attempts that delivered over less than TLS 1.2

  std::vector<Disposal> disposals(const ReportSpan& span, std::uint64_t after, std::uint64_t limit) const;
  std::vector<ListHoldings> holdings() const;
  std::uint64_t storedObjects() const;
  std::uint64_t newestStored() const;  // 0: nothing is stored

  // Entries of the audit log with one of these actions, newest first. refusedOnly: those that did not succeed.
  std::vector<AuditRow> entries(const std::vector<std::string>& actions, bool refusedOnly, const ReportSpan& span,
                                std::uint64_t before, std::uint64_t limit) const;
  // Reads and exports that touched content of the list, newest first.
  std::vector<ContentAccess> contentAccess(std::uint64_t listId, std::uint64_t before, std::uint64_t limit) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
