#include "listd/ledger/BounceNote.h"

#include "core/base/Log.h"

#include <chrono>

namespace postern::listd {

namespace {

// A tag proves which copy came back, and the ledger says how old that is: who finds an old message in a mailbox or an
// archive cannot make its recipient look unreachable by it.
constexpr auto TagLife = std::chrono::hours(30 * 24);

// The author of domain mail is told of each copy that came back; of a list the people who look after it are to know.
bool addReport(SiteTables& tables, const Post& post) {
  if (!post.domainMail || post.automatic || post.mailFrom.empty()) return false;
  LedgerRow report;
  report.id = tables.counters.take(CounterStore::Copy);
  report.postId = post.id;
  report.kind = app::Copy::Kind::Report;
  report.recipient = post.mailFrom;
  report.protection = "none";
  report.reason = "bounce-report";
  tables.ledger.add(report);
  tables.posts.setReported(post.id);
  tables.posts.setState(post.id, PostState::Planned);
  return true;
}

}  // namespace

bool recordBounce(SiteTables& tables, std::uint64_t listId, std::uint64_t copyKey, const Bounce& bounce,
                  TimePoint now) {
  if (bounce.kind != Bounce::Kind::Failure) return false;
  const auto row = tables.ledger.find(copyKey);
  if (!row || row->kind != app::Copy::Kind::Content) return false;
  const auto post = tables.posts.find(row->postId);
  if (!post || post->listId != listId) return false;
  if (row->deliveredAt != TimePoint{} && now - row->deliveredAt > TagLife) {
    log::info("intake", "a bounce of a copy delivered more than 30 days ago was dropped", {{"copy", copyKey}});
    return false;
  }
  Attempt attempt;
  attempt.outcome = "bounced";
  attempt.at = now;
  attempt.replyText = bounce.status.empty() ? bounce.text : bounce.status + " " + bounce.text;
  if (!tables.ledger.addAttempt(copyKey, attempt) || row->state != CopyState::Delivered) return false;
  tables.ledger.setState(copyKey, CopyState::Failed, row->attempts, std::nullopt);
  PostCounts change;
  change.delivered -= 1;
  change.failed += 1;
  tables.posts.addCounts(post->id, change);
  tables.flow.add({.at = now, .failed = 1});
  audit::Event event;
  event.actorKind = "system";
  event.actor = "postern-listd";
  event.action = "delivery.bounced";
  event.objectType = "copy";
  event.objectId = std::to_string(copyKey);
  event.listId = listId;
  event.text("of", bounce.ofMailbox() ? "mailbox" : "message");
  tables.audit.append(event);
  return (post->state == PostState::Done || post->reported) && addReport(tables, *post);
}

}  // namespace postern::listd
