#include "listd/audit/AuditKeeper.h"

#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "listd/audit/Checkpoints.h"

#include <sstream>

namespace postern::listd {
namespace {

constexpr std::chrono::minutes Look{1};
constexpr std::chrono::minutes BetweenCheckpoints{15};
constexpr std::chrono::hours BetweenMails{24};

void note(SiteContext& context, const char* action) {
  context.site.write([&](SiteTables& tables) {
    audit::Event event;
    event.actorKind = "system";
    event.actor = "postern-listd";
    event.action = action;
    event.objectType = "service";
    event.objectId = "listd";
    event.text("version", POSTERN_VERSION);
    if (const auto offset = context.config.clockOffset.count(); offset != 0)
      event.text("clock-offset-seconds", std::to_string(offset));
    tables.audit.append(event);
  });
}

std::vector<std::string> linesOf(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

AuditKeeper::AuditKeeper(SiteContext& context, MailOut mailOut) : context_(context), mailOut_(std::move(mailOut)) {
  note(context_, "listd.started");
  if (context_.config.clockOffset.count() != 0) {
    note(context_, "listd.clock-offset");
    log::warning("clock", "the site does not run by the clock of its machine; remove clock_offset from [testing]",
                 {{"seconds", context_.config.clockOffset.count()}});
  }
  auditKey(context_);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

AuditKeeper::~AuditKeeper() {
  thread_.request_stop();
  thread_.join();
  try {  // the boundary of the process's end: the entries stand without a checkpoint, too
    note(context_, "listd.stopped");
    makeCheckpoint(context_, CheckpointIf::Always);
  } catch (const std::exception& error) {
    log::error("audit", "no checkpoint could be made at the end", {{"error", error.what()}});
  }
}

void AuditKeeper::runOnce() {
  const auto now = context_.clock.now();
  auto newest = context_.site.read([](SiteTables& tables) { return tables.audit.file().newestCheckpoint(); });
  // A clock that was set back must not keep checkpoints from being made.
  if (!newest || now - newest->at >= BetweenCheckpoints || now < newest->at)
    newest = makeCheckpoint(context_, CheckpointIf::Changed);
  if (newest) mailIfDue(*newest);
}

void AuditKeeper::mailIfDue(const audit::StoredCheckpoint& checkpoint) {
  const auto& auditor = context_.config.auditMail;
  if (auditor.empty() || !mailOut_) return;
  const auto now = context_.clock.now();
  context_.site.write([&](SiteTables& tables) {
    const auto last = tables.audit.newestAnchor("mail");
    if (last && now - last->at < BetweenMails && now >= last->at) return;
    SiteMail mail;
    mail.kind = SiteMail::Kind::AuditAnchor;
    mail.recipient = auditor;
    mail.lines = linesOf(checkpoint.note);
    mailOut_(tables, mail, now);
    tables.audit.addAnchor({"mail", checkpoint.size, now, "handed to the outbox"});
    audit::Event event;
    event.actorKind = "system";
    event.actor = "postern-listd";
    event.action = "audit.anchored";
    event.objectType = "audit";
    event.person("to", auditor).text("kind", "mail").number("size", checkpoint.size);
    tables.audit.append(event);
  });
}

void AuditKeeper::run(const std::stop_token& stop) {
  Mutex mutex;
  Condition never;
  while (!stop.stop_requested()) {
    try {  // the boundary of a queue job: it is tried again in a minute
      runOnce();
    } catch (const std::exception& error) {
      log::error("audit", "no checkpoint can be made now", {{"error", error.what()}});
    }
    std::unique_lock<Mutex> lock(mutex);
    never.wait_for(lock, stop, Look, [] { return false; });
  }
}

}  // namespace postern::listd
