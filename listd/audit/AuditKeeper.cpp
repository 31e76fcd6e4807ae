#include "listd/audit/AuditKeeper.h"

#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "listd/audit/Checkpoints.h"

#include <cstdlib>
#include <sstream>

namespace postern::listd {
namespace {

constexpr std::chrono::minutes Look{1};
constexpr std::chrono::minutes BetweenCheckpoints{15};
constexpr std::chrono::hours BetweenMails{24};
constexpr std::chrono::hours BetweenTries{1};  // after one that was not delivered

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
  noteDelivered();
  if (newest) mailIfDue(*newest);
}

void AuditKeeper::mailIfDue(const audit::StoredCheckpoint& checkpoint) {
  const auto& auditor = context_.config.auditMail;
  if (auditor.empty() || !mailOut_) return;
  const auto now = context_.clock.now();
  const auto isDue = [&](SiteTables& tables) {
    const auto last = tables.siteMail.newestOf(SiteMail::Kind::AuditAnchor);
    if (!last || now < last->createdAt) return true;
    const bool lost = last->state == "failed" || last->state == "expired" || last->state == "dropped";
    return now - last->createdAt >= (lost ? BetweenTries : BetweenMails);
  };
  if (!context_.site.read(isDue)) return;
  context_.site.write([&](SiteTables& tables) {
    SiteMail mail;
    mail.kind = SiteMail::Kind::AuditAnchor;
    mail.recipient = auditor;
    mail.lines = linesOf(checkpoint.note);
    mailOut_(tables, mail, now);
  });
}

// A checkpoint counts as carried away once the auditor's server has taken it, and not before.
void AuditKeeper::noteDelivered() {
  const auto delivered = [&](SiteTables& tables) -> std::optional<SiteMailRow> {
    auto mail = tables.siteMail.newestOf(SiteMail::Kind::AuditAnchor);
    if (!mail || mail->state != "delivered") return std::nullopt;
    const auto known = tables.audit.newestAnchor("mail");
    if (known && known->at >= mail->outcomeAt) return std::nullopt;
    return mail;
  };
  if (!context_.site.read(delivered)) return;
  context_.site.write([&](SiteTables& tables) {
    const auto mail = delivered(tables);
    if (!mail || mail->mail.lines.size() < 2) return;
    const auto size = std::strtoull(mail->mail.lines[1].c_str(), nullptr, 10);
    tables.audit.addAnchor({"mail", size, mail->outcomeAt, mail->outcome});
    audit::Event event;
    event.actorKind = "system";
    event.actor = "postern-listd";
    event.action = "audit.anchored";
    event.objectType = "audit";
    event.person("to", mail->mail.recipient).text("kind", "mail").number("size", size);
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
