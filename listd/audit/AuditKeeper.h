#pragma once
#include "listd/mailout/SiteMail.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <stop_token>
#include <thread>

namespace postern::listd {

// Looks after the audit log while listd runs: entries for its start and its stop, a checkpoint every 15 minutes if
// something changed and one at the end, and once a day the checkpoint by mail to the auditor (`audit.mail`).
// Errors: the constructor throws when the log cannot be written: a site that cannot record must not work.
class AuditKeeper {
public:
  using MailOut = std::function<void(SiteTables&, const SiteMail&, TimePoint)>;

  AuditKeeper(SiteContext& context, MailOut mailOut);
  ~AuditKeeper();

  void runOnce();

private:
  void run(const std::stop_token& stop);
  void mailIfDue(const audit::StoredCheckpoint& checkpoint);
  void noteDelivered();

  SiteContext& context_;
  const MailOut mailOut_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
