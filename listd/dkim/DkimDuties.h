#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace postern::listd {

// Moves the keys that sign mail along: one whose record is in the DNS is taken into use and puts the one before it
// among the former ones; a former one is destroyed when its time ended. Looks each night whether the records of all
// are still there. See docs/decisions/0038.
// Ownership: what it is given must outlive it. Threads: safe for all; one look at a time. Errors: check() throws
// Error(Store); what the DNS does stands with the key.
class DkimDuties {
public:
  using LookUp = std::function<app::TextAnswer(const std::string& name)>;

  DkimDuties(SiteContext& context, LookUp lookUp) : context_(context), lookUp_(std::move(lookUp)) {}

  // Asks the DNS for the records of a domain's keys, or of all with an empty name.
  void check(std::string_view domain);
  // What is due by time.
  void runOnce();

private:
  void look(const DkimKey& key);
  void retire(const DkimKey& key);

  SiteContext& context_;
  const LookUp lookUp_;
  Mutex mutex_;  // one look at a time
};

// The thread that does so, each minute.
class DkimSchedule {
public:
  explicit DkimSchedule(DkimDuties& duties);

private:
  void run(const std::stop_token& stop);

  DkimDuties& duties_;
  std::jthread thread_;  // last: it uses all of the above
};

// Over a connection of its own, so that nothing else waits for a slow DNS.
DkimDuties::LookUp lookUpByGateway(const GatewayAddress& address);

// How long the record of a former key must stay in the DNS: longer than a copy may wait for its delivery.
std::chrono::seconds dkimOverlap(const config::SiteConfig& config);

// What the DNS says of a key: "same", "missing", "other" or "failed".
std::string comparedWith(const app::TextAnswer& answer, const std::string& record);

// The keys of reports on TLS, for the gateway.
std::vector<app::ReportKey> reportKeys(SiteContext& context);

}  // namespace postern::listd
